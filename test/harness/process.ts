/** Starting programs on the host and collecting what they say. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';

export interface Result {
  /** The exit code, or null after a signal. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  /** The whole environment; the test's own when left out. */
  env?: Record<string, string>;
  /** Written to stdin, which is /dev/null when this is left out. */
  input?: string;
  /** Descriptors for 3, 4, …: what --preserve-fds and socket activation pass on. */
  extraFds?: number[];
  /**
   * stdout and stderr go to `${outputFiles}.out` and `.err` instead of pipes. For programs that hand their output on to
   * something that lives longer, as `create` does: a pipe would count as open until that ends too.
   */
  outputFiles?: string;
  /** How long `run` waits for its end; far above what a slow machine takes when left out. */
  seconds?: number;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  /** What it has written so far. */
  output: { stdout: string; stderr: string };
  /** Resolves when it has ended and its output is closed. */
  done: Promise<Result>;
}

/** Starts a program; the caller waits for `done`, which fails when the program cannot be started. */
export function start(path: string, args: string[], options: RunOptions = {}): Running {
  const files = openOutputFiles(options.outputFiles);
  const stdio: StdioOptions = [
    options.input === undefined ? 'ignore' : 'pipe',
    ...(files ?? (['pipe', 'pipe'] as const)),
    ...(options.extraFds ?? []),
  ];
  const child: ChildProcess = spawn(path, args, { cwd: options.cwd, env: options.env ?? process.env, stdio });
  for (const fd of files ?? []) closeSync(fd);
  const output = { stdout: '', stderr: '' };
  collect(child.stdout, (text) => {
    output.stdout += text;
  });
  collect(child.stderr, (text) => {
    output.stderr += text;
  });
  const done = new Promise<Result>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...(readOutputFiles(options.outputFiles) ?? output) }));
  });
  // A program that ends without reading its input is no failure of the test.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input);
  return { child, pid: child.pid ?? -1, output, done };
}

function collect(stream: Readable | null, add: (text: string) => void): void {
  stream?.setEncoding('utf8').on('data', add);
}

function openOutputFiles(prefix: string | undefined): number[] | undefined {
  return prefix === undefined ? undefined : [openSync(`${prefix}.out`, 'w'), openSync(`${prefix}.err`, 'w')];
}

/** What a program started with this `outputFiles` has written so far, with all that it handed its output to. */
export function readOutputFiles(prefix: string): { stdout: string; stderr: string };
export function readOutputFiles(prefix: string | undefined): { stdout: string; stderr: string } | undefined;
export function readOutputFiles(prefix: string | undefined): { stdout: string; stderr: string } | undefined {
  if (prefix === undefined) return undefined;
  return { stdout: readFileSync(`${prefix}.out`, 'utf8'), stderr: readFileSync(`${prefix}.err`, 'utf8') };
}

/** Seconds: as `patience`, for a program. */
const programPatience = 600;

/** Runs a program to its end. One that hangs is killed, and fails the test with what it is and has said. */
export async function run(path: string, args: string[], options: RunOptions = {}): Promise<Result> {
  const { child, output, done } = start(path, args, options);
  const { seconds = programPatience } = options;
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      const { stdout, stderr } = readOutputFiles(options.outputFiles) ?? output;
      reject(new Error(`${[path, ...args].join(' ')} did not end within ${seconds} s: ${stderr || stdout}`));
    }, seconds * 1000);
  });
  return await Promise.race([done, hangs]).finally(() => clearTimeout(timer));
}

/** Resolves after about `milliseconds`; for polling only. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Seconds that waits have. Not an expectation of speed: they only turn a hang into a failure that says what it is. */
export const patience = 120;

/**
 * Polls until `probe` gives something else than undefined (the type forbids false, which would end it), and fails when
 * it has not after `patience`. The last look is one after that: a machine that stood still for so long has not waited in
 * vain yet.
 */
export async function waitFor<T extends object | string | number | true>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + patience * 1000;
  for (;;) {
    const isLastLook = performance.now() > deadline;
    const value = await probe();
    if (value !== undefined) return value;
    if (isLastLook) throw new Error(`waited ${patience} s in vain for ${what}`);
    await sleep(20);
  }
}
