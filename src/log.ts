import { asTsrunError, type ErrorPlace, errorCode, oneLine, TsrunError } from './errors.ts';
import { printError } from './output.ts';
import { showProblem } from './problem.ts';
import { hasColours, styles } from './style.ts';
import { openingHint, openNamed, writeWhole } from './write.ts';

export const logLevels = ['debug', 'info', 'warning', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  /** File that gets every line; without it they go to stderr. */
  file: string | undefined;
  format: 'text' | 'json';
  /** Least important level that is written; undefined when nobody has chosen one. */
  level: LogLevel | undefined;
}

/** The specification has some things that MUST be logged as a warning. */
const defaultLevel: LogLevel = 'warning';

let options: LogOptions = { file: undefined, format: 'text', level: undefined };
/** Of options.file. */
let logFd = -1;
/** Warnings that wait for the command's success. */
let held: string[] = [];
/** That the file cannot be written. */
let isTold = false;

/** @throws TsrunError, before anything is done, when the file cannot be written; then it goes to stderr */
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

/** Whether lines of this level are written: to spare the work for those that are not. */
export function isLogged(level: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(options.level ?? defaultLevel);
}

/** Of the library, in the place of all that this file writes to. */
let sink: ((level: LogLevel, message: string) => void) | undefined;

/** From now on a function gets every line that is not less important than `level`. */
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

/** What is to be said of a property. */
export interface LoggedFinding {
  /** JSON pointer; `` for none. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string | (() => string | undefined) | undefined;
  /** Of the property, where the caller knows it; else it is looked for. */
  readonly place?: ErrorPlace | undefined;
}

type Placer = (pointer: string) => ErrorPlace | undefined;

/** Of the config that this command is about. */
let placeOf: Placer = () => undefined;

/** From here on findings have their places from there; it is only asked when one is shown to people. */
export function placeFindings(placer: Placer): void {
  placeOf = placer;
}

/** @param line what programs get, and is in --log */
export function logFinding(level: LogLevel, finding: LoggedFinding, line: () => string): void {
  if (!isLogged(level)) return;
  if (!speaksToPeople()) return log(level, line());
  const { pointer, message, hint, place = placeOf(pointer) } = finding;
  const shown = {
    level,
    message: pointer === '' ? message : `${pointer}: ${message}`,
    place,
    hint: typeof hint === 'function' ? hint() : hint,
  };
  printError(showProblem(shown, styles(hasColours(process.stderr))));
}

/**
 * An error that does not end the command.
 *
 * @throws the error itself where it can only be a defect
 */
export function logError(level: LogLevel, error: unknown): void {
  const known = asTsrunError(error);
  if (known === undefined) throw error;
  const { isNamed, pointer, text, hint, message, place } = known;
  const named = isNamed && pointer !== undefined;
  // Without its pointer the message has all.
  const about = named ? pointer : '';
  const found = place ?? (pointer === undefined ? undefined : placeOf(pointer));
  logFinding(level, { pointer: about, message: named ? text : message, hint, place: found }, () => known.asLine);
}

/**
 * podman reads the file of a command that failed as one JSON object and knows no other error when there are two. So
 * warnings that nobody asked for are in it when the command has succeeded.
 */
function waitsForSuccess(): boolean {
  return options.format === 'json' && options.level === undefined;
}

/** The command has done its work: what waited for that is written. */
export function releaseWarnings(): void {
  const lines = held;
  held = [];
  for (const line of lines) append(line);
}

/** Adds a line to the file. A full disk must not end the command in its midst: stderr is told, once. */
function append(line: string): void {
  try {
    writeWhole(logFd, line);
  } catch (error) {
    if (!isTold) printError(`cannot write --log ${options.file}: ${errorCode(error)}\n`);
    isTold = true;
  }
}

/**
 * An error that ends the command: engines read the last `level=error` line of --log, people read stderr. With --log,
 * stderr gets the bare message, as runc prints it.
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

/** Whether somebody sits in front of stderr; programs get lines that they can read. */
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
