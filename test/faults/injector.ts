/** Runs a command in which one system call fails (test/helpers-c/inject.c). */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cHelper } from '../harness/c-helper.ts';
import { type Result, type Running, start } from '../harness/process.ts';
import { runtimePath } from '../harness/runtime.ts';
import { canBeKilledAt, canBeShort, errorsOf, numberOf } from './calls.ts';

/** One fault; `nth` counts the calls of this name from 1. */
export interface Fault {
  call: string;
  nth: number;
  how: 'kill' | 'short' | ReturnType<typeof errorsOf>[number];
}

/** The injector's report of a case. */
export interface Injected extends Result {
  /** The call was made often enough for the fault to happen. */
  fired: boolean;
  /** The process, and the call with its strings: `123 openat /proc/self/stat`. */
  where: string;
  /** The call in which the command hung until it was killed. */
  hangsIn?: string;
}

/** Whose calls: the command's own, or those of the processes that it starts, except a container's program. */
export type Whose = 'own' | 'children';

export function describe({ call, nth, how }: Fault): string {
  return `${how} at ${call} ${nth}`;
}

/** Seconds for a command, far above what one takes on a slow machine: only one that hangs reaches it. */
const secondsToHang = 30;

export class Injector {
  readonly #directory: string;
  readonly #root: string;
  #runs = 0;

  /** @param directory for its files; `root` is the runtime's --root */
  constructor(directory: string, root: string) {
    this.#directory = directory;
    this.#root = root;
  }

  /** How often the command makes each system call, as [name, count]. */
  async count(whose: Whose, args: string[]): Promise<[string, number][]> {
    const { result, report } = await this.#run(['--count'], whose, args);
    if (result.signal !== null) throw new Error(`${args.join(' ')} ended with ${result.signal}: ${result.stderr}`);
    return lines(report).map((line) => {
      const [name = '', count] = line.split(' ');
      return [name, Number(count)];
    });
  }

  async inject(fault: Fault, whose: Whose, args: string[]): Promise<Injected> {
    const { result, report } = await this.#run(optionsOf(fault), whose, args);
    const said = lines(report);
    const fired = said.find((line) => line.startsWith('fired '));
    const hang = said.find((line) => line.startsWith('hang '));
    return {
      ...result,
      fired: fired !== undefined,
      where: fired?.slice('fired '.length) ?? '',
      ...(hang !== undefined && { hangsIn: hang.slice('hang '.length) }),
    };
  }

  /** Its output goes to files, because processes that the command leaves running have it, too. */
  async #run(options: string[], whose: Whose, args: string[]): Promise<{ result: Result; report: string }> {
    const outputFiles = join(this.#directory, `command-${++this.#runs}`);
    const report = `${outputFiles}.report`;
    const limits = ['--seconds', String(secondsToHang), '--report', report];
    const children = whose === 'children' ? ['--runtime'] : [];
    const command = [runtimePath, '--root', this.#root, ...args];
    const running: Running = start(cHelper('inject'), [...options, ...children, ...limits, ...command], {
      outputFiles,
    });
    const result = await running.done;
    const text = readFileSync(report, 'utf8');
    for (const end of ['.out', '.err', '.report']) rmSync(`${outputFiles}${end}`);
    return { result, report: text };
  }
}

function optionsOf({ call, nth, how }: Fault): string[] {
  if (how === 'kill') return ['--kill', `${call}:${nth}`];
  if (how === 'short') return ['--short', `${call}:${nth}`];
  return ['--error', `${call}:${nth}:${numberOf(how)}`];
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** All faults that are possible at these calls. */
export function faultsAt(calls: [string, number][]): Fault[] {
  return calls.flatMap(([call, count]) =>
    Array.from({ length: count }, (_, i) => i + 1).flatMap((nth) =>
      waysOf(call).map((how): Fault => ({ call, nth, how })),
    ),
  );
}

function waysOf(call: string): Fault['how'][] {
  return [
    ...errorsOf(call),
    ...(canBeShort(call) ? (['short'] as const) : []),
    ...(canBeKilledAt(call) ? (['kill'] as const) : []),
  ];
}
