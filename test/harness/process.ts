/** Starts programs on the host and collects their output. */
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
  /** The whole environment; the test's own if left out. */
  env?: Record<string, string>;
  /** Written to stdin, which is /dev/null if this is left out. */
  input?: string;
  /** Descriptors for 3, 4, …, as --preserve-fds and socket activation pass them on. */
  extraFds?: number[];
  /**
   * stdout and stderr go to `${outputFiles}.out` and `.err` instead of pipes. For programs that pass their output on to
   * something that lives longer, as `create` does: a pipe would stay open until that ends, too.
   */
  outputFiles?: string;
  /** How long `run` waits for its end; if left out, far more than a slow machine takes. */
  seconds?: number;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  /** The output so far. */
  output: { stdout: string; stderr: string };
  /** Resolves once it has ended and its output is closed. */
  done: Promise<Result>;
}

/** Starts a program. The caller waits for `done`, which fails if the program cannot be started. */
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
  // A program may end without reading its input.
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

/** The output so far of a program started with this `outputFiles`, and of all that it passed its output to. */
export function readOutputFiles(prefix: string): { stdout: string; stderr: string };
export function readOutputFiles(prefix: string | undefined): { stdout: string; stderr: string } | undefined;
export function readOutputFiles(prefix: string | undefined): { stdout: string; stderr: string } | undefined {
  if (prefix === undefined) return undefined;
  return { stdout: readFileSync(`${prefix}.out`, 'utf8'), stderr: readFileSync(`${prefix}.err`, 'utf8') };
}

/** Seconds: like `patience`, for a program. */
const programPatience = 600;

/** Runs a program to its end. One that hangs is killed, and the test fails with its command and output. */
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

/**
 * Seconds that a wait may take. Not an expectation of speed: it only turns a hang into a failure that says what hangs.
 */
export const patience = 120;

/**
 * Polls until `probe` returns something other than undefined; fails after `patience`. The type forbids false, which
 * would end the wait. It looks once more after that time: the machine may have stood still for so long.
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
