import { TsrunError } from '../errors.ts';
import type { Op } from '../generated/ops.ts';
import { processStat } from '../host/processes.ts';
import { describeFailure } from './words/words.ts';

/** The name init gives itself (addon/init/main.cc). execve(2) takes a program's from its path, without any slash. */
const initName = 'tsrun/init';

/**
 * To be asked when init has closed its socket without a report. A seccomp filter may have forbidden it to report that
 * execve failed, or ended it in execve; the process is then ending, and still has its name.
 *
 * @param ops what init was to do last
 * @returns undefined when init became the program, or when nobody can tell any more because it has been reaped
 */
export function unreportedFailure(pid: number, ops: readonly Op[]): TsrunError | undefined {
  const exec = ops.find(({ op }) => op === 'exec');
  if (exec === undefined || !ops.some(({ op }) => op === 'load-seccomp')) return undefined;
  const process = processStat(pid);
  if (process?.isEnding !== true || process.name !== initName) return undefined;
  const signal = process.waitStatus & 0x7f;
  if (signal === 0) return describeFailure(exec, { error: process.waitStatus >>> 8, value: 0, detail: '' }, ops);
  return new TsrunError(`the container's init was killed by signal ${signal} in execve`, {
    hint: '/linux/seccomp must allow execve',
  });
}
