import { asTsrunError, type ErrorPlace, errorCode, oneLine, showErrorPlace, TsrunError } from './errors.ts';
import { printError } from './output.ts';
import { type ProblemForPeople, showProblem } from './problem.ts';
import { hasColours, styles } from './style.ts';
import { openingHint, openNamed, writeWhole } from './write.ts';

export const logLevels = ['debug', 'info', 'warning', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  /** The file for all lines; without it they go to stderr. */
  file: string | undefined;
  format: 'text' | 'json';
  /** The least important level that is written; undefined if the user has not chosen one. */
  level: LogLevel | undefined;
}

/** The specification demands warnings for some things ("MUST be logged"). */
const defaultLevel: LogLevel = 'warning';

let options: LogOptions = { file: undefined, format: 'text', level: undefined };
/** Descriptor of options.file. */
let logFd = -1;
/** Warnings that are held back until the command succeeds. */
let held: string[] = [];
/** Whether stderr has been told that the file cannot be written. */
let isTold = false;

/** @throws TsrunError, before anything is done, when the file cannot be written; the error then goes to stderr */
export function configureLog(chosen: LogOptions): void {
  options = { ...chosen, file: undefined };
  if (chosen.file === undefined) return;
  try {
    logFd = openNamed(chosen.file, 'append');
  } catch (error) {
    throw new TsrunError(`--log ${chosen.file}: cannot be written: ${(error as NodeJS.ErrnoException).code}`, {
      hint: openingHint(error),
    });
  }
  options = chosen;
}

/** Whether lines of this level are written; saves the work for lines that are not. */
export function isLogged(level: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(options.level ?? defaultLevel);
}

/** The library's function, which gets the lines instead of stderr and the file. */
let sink: ((level: LogLevel, message: string) => void) | undefined;

/** From now on `receive` gets every line that is at least as important as `level`. */
export function logInto(level: LogLevel, receive: (level: LogLevel, message: string) => void): void {
  options = { ...options, level };
  sink = receive;
}

export function log(level: LogLevel, message: string): void {
  if (!isLogged(level)) return;
  if (sink !== undefined) return sink(level, oneLine(message));
  if (speaksToPeople()) return printError(`${personal(level)} ${oneLine(message)}\n`);
  const line = formatLine(level, oneLine(message));
  if (options.file === undefined) printError(line);
  else if (level === 'warning' && waitsForSuccess()) held.push(line);
  else append(line);
}

/** A log entry about a property. */
export interface LoggedFinding {
  /** JSON pointer; empty without a property. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string | (() => string | undefined) | undefined;
  /** The property's place, if the caller knows it; otherwise it is looked up. */
  readonly place?: ErrorPlace | undefined;
}

type Placer = (finding: LoggedFinding) => LoggedFinding;

/** Looks up places in the config that this command is about, or in a document with a part of one. */
let placeOf: Placer = (finding) => finding;

/** From now on `placer` gives findings their places; it is only called for a finding that is written. */
export function placeFindings(placer: Placer): void {
  placeOf = placer;
}

/** Logs what is to be said about a property: to people with the line, to programs as `file:line:column: pointer: …`. */
export function logFinding(level: LogLevel, finding: LoggedFinding): void {
  if (!isLogged(level)) return;
  const { pointer, message, hint: found, place } = finding.place === undefined ? placeOf(finding) : finding;
  const hint = typeof found === 'function' ? found() : found;
  const said = pointer === '' ? message : `${pointer}: ${message}`;
  if (speaksToPeople()) return show({ level, message: said, place, hint });
  const at = place === undefined ? '' : `${showErrorPlace(place)}: `;
  log(level, `${at}${said}${hint === undefined ? '' : ` (${hint})`}`);
}

function show(problem: ProblemForPeople): void {
  printError(showProblem(problem, styles(hasColours(process.stderr))));
}

/**
 * Logs an error that does not end the command.
 *
 * @throws the error itself if it can only be a defect
 */
export function logError(level: LogLevel, error: unknown): void {
  const known = asTsrunError(error);
  if (known === undefined) throw error;
  if (!isLogged(level)) return;
  const { pointer, text, hint, message } = known;
  if (pointer !== undefined) known.place ??= placeOf({ pointer, message: text }).place;
  if (speaksToPeople()) return show({ level, message, place: known.place, hint });
  log(level, known.asLine);
}

/**
 * podman reads the log file of a failed command as one JSON object, and misses the error when there are two. So
 * warnings at the default level go there only when the command has succeeded.
 */
function waitsForSuccess(): boolean {
  return options.format === 'json' && options.level === undefined;
}

/** Called when the command has done its work: writes the warnings that were held back. */
export function releaseWarnings(): void {
  const lines = held;
  held = [];
  for (const line of lines) append(line);
}

/** Adds a line to the file. A full disk must not end the command half-way: stderr is told, once. */
function append(line: string): void {
  try {
    writeWhole(logFd, line);
  } catch (error) {
    if (!isTold) printError(`cannot write --log ${options.file}: ${errorCode(error)}\n`);
    isTold = true;
  }
}

/**
 * Logs an error that ends the command: engines read the last `level=error` line of --log, people read stderr. With
 * --log, stderr gets the bare message, as in runc.
 */
export function logFatal(message: string): void {
  const text = oneLine(message);
  if (speaksToPeople()) return printError(`${personal('error')} ${text}\n`);
  if (options.file === undefined) {
    printError(formatLine('error', text));
    return;
  }
  printError(`${text}\n`);
  append(formatLine('error', text));
}

/** Whether a person reads stderr; programs get lines that they can parse. */
export function speaksToPeople(): boolean {
  return sink === undefined && options.file === undefined && options.format === 'text' && process.stderr.isTTY === true;
}

/** `error:`, in its colour. */
function personal(level: LogLevel): string {
  const { bold, red, yellow, dim } = styles(hasColours(process.stderr));
  const colour = { error: red, warning: yellow, info: dim, debug: dim }[level];
  return bold(colour(`${level}:`));
}

function formatLine(level: LogLevel, message: string): string {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  if (options.format === 'json') return `${JSON.stringify({ level, msg: message, time })}\n`;
  return `time="${time}" level=${level} msg=${JSON.stringify(message)}\n`;
}
