import { closeSync, readSync } from 'node:fs';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { TsrunError } from '../errors.ts';
import type { Op } from '../generated/ops.ts';
import { processStart } from '../host/clock.ts';
import { isLogged, log } from '../log.ts';
import { openingHint, openNamed, writeWhole } from '../write.ts';

/** One op that ran; times are nanoseconds of CLOCK_MONOTONIC. */
export interface Span {
  readonly index: number;
  readonly op: Readonly<{ op: string } & Pick<Op, 'by' | 'from'>>;
  readonly start: bigint;
  readonly end: bigint;
}

/** The file of --trace; -1 without it. */
let traceFd = -1;
/** Prints a start's times for --timing. */
let showTiming: ((spans: readonly Span[]) => void) | undefined;
/** The plan that this command runs; it runs at most one. */
let current: Trace | undefined;
/** What this command did outside any plan: start's own steps. */
let steps: Span[] = [];

/** The index of a step that is no op of a plan. */
const noOp = -1;

/** @throws TsrunError, before anything is done, when the file cannot be written */
export function configureTrace(file: string | undefined): void {
  if (file === undefined) return;
  try {
    traceFd = openNamed(file, 'truncate');
    noteEngine();
  } catch (error) {
    throw new TsrunError(`--trace ${file}: cannot be written: ${(error as NodeJS.ErrnoException).code}`, {
      hint: openingHint(error),
    });
  }
}

/** Turns measuring on; `show` gets the times once the container is there. */
export function configureTiming(show: (spans: readonly Span[]) => void): void {
  showTiming = show;
  if (traceFd < 0) noteEngine();
}

/** Notes the time from the process's start until now: the engine, and the command line. */
function noteEngine(): void {
  const op = { op: 'engine', by: 'runtime', from: 'process' } as const;
  steps.push({ index: noOp, op, start: processStart(), end: addon().monotonicTime() });
}

function isMeasured(): boolean {
  return traceFd >= 0 || showTiming !== undefined || isLogged('debug');
}

/** Undefined when no times are wanted; nothing is measured then. */
export function traceOf(ops: readonly Op[]): Trace | undefined {
  if (!isMeasured()) return undefined;
  current = new Trace(ops);
  return current;
}

/**
 * For a start on its own, whose plan create has run up to here: gives init the memory for the rest. Returns -1 when no
 * times are wanted, or when this command has created the container and its trace goes on.
 */
export function traceOfStart(startOps: Readonly<Record<string, Op>>): number {
  if (current !== undefined) return -1;
  const ops: Op[] = [];
  for (const [index, op] of Object.entries(startOps)) ops[Number(index)] = op;
  return traceOf(ops)?.fd ?? -1;
}

/** Runs a step that is not an op of a plan, such as the wait for init's execve, and notes its time. */
export function traceStep<T>(name: string, from: string, action: () => T): T {
  if (!isMeasured()) return action();
  const start = addon().monotonicTime();
  try {
    return action();
  } finally {
    const op = { op: name, by: 'runtime', from } as const;
    steps.push({ index: noOp, op, start, end: addon().monotonicTime() });
  }
}

/**
 * Writes the file and the debug lines, with the times noted so far; a second call does nothing. What init does under a
 * seccomp filter is never in it, and neither is the execve.
 */
export function reportTrace(): void {
  const spans = [...(current?.finish() ?? []), ...steps];
  current = undefined;
  steps = [];
  for (const span of spans) log('debug', describeSpan(span));
  showTiming?.(spans);
  showTiming = undefined;
  if (traceFd < 0) return;
  try {
    writeWhole(traceFd, chromeTrace(spans, process.pid));
  } catch (error) {
    // The container exists all the same.
    log('warning', `--trace: cannot be written: ${(error as Error).message}`);
  }
  closeSync(traceFd);
  traceFd = -1;
}

/** Records when each op of a plan ran: the runtime notes it here, init in shared memory. */
export class Trace {
  /** Shared memory with two u64 for each op, start and end, for init (addon/init/main.cc). */
  readonly fd: number;
  private readonly ops: readonly Op[];
  private readonly own: BigUint64Array;

  constructor(ops: readonly Op[]) {
    this.ops = ops;
    this.own = new BigUint64Array(ops.length * 2);
    this.fd = addon().memfd('tsrun-trace', this.own.byteLength);
  }

  began(index: number): void {
    this.own[index * 2] = addon().monotonicTime();
  }

  ended(index: number): void {
    this.own[index * 2 + 1] = addon().monotonicTime();
  }

  /** Closes the shared memory and returns the spans. */
  finish(): Span[] {
    const stamps = new BigUint64Array(this.own.length);
    readSync(this.fd, new Uint8Array(stamps.buffer), 0, stamps.byteLength, 0);
    closeQuietly(this.fd);
    return spansOf(this.ops, this.own, stamps);
  }
}

/** The ops that have both times, in the order of their start. */
export function spansOf(ops: readonly Op[], runtime: BigUint64Array, init: BigUint64Array): Span[] {
  return ops
    .map((op, index) => {
      const stamps = op.by === 'runtime' ? runtime : init;
      return { index, op, start: stamps[index * 2] ?? 0n, end: stamps[index * 2 + 1] ?? 0n };
    })
    .filter(({ start, end }) => start > 0n && end >= start)
    .sort((a, b) => Number(a.start - b.start));
}

/**
 * The "JSON Array Format" of Chrome's Trace Event Format: complete events, times in microseconds. Values of ops are
 * left out, as an environment may hold secrets.
 */
export function chromeTrace(spans: readonly Span[], pid: number): string {
  const named = (name: string, tid: number, text: string) => ({ name, ph: 'M', pid, tid, args: { name: text } });
  const names = [
    named('process_name', 0, 'tsrun'),
    named('thread_name', 1, 'runtime'),
    named('thread_name', 2, 'init'),
  ];
  const timed = spans.map(({ index, op, start, end }) => ({
    name: op.op,
    cat: op.by,
    ph: 'X',
    ts: Number(start) / 1000,
    dur: Number(end - start) / 1000,
    pid,
    // One row for the runtime and one for init.
    tid: op.by === 'runtime' ? 1 : 2,
    args: { index, from: op.from },
  }));
  const events = [...(spans.length === 0 ? [] : names), ...timed];
  return `[${events.map((event) => JSON.stringify(event)).join(',\n')}]\n`;
}

function describeSpan({ index, op, start, end }: Span): string {
  const number = index === noOp ? 'step' : `op ${index}`;
  return `${op.by} ${number} ${op.op} took ${(Number(end - start) / 1000).toFixed(1)} us (${op.from})`;
}
