import { TsrunError } from '../errors.ts';
import type { ExecOp, Op } from '../generated/ops.ts';
import { initName, processStat } from '../host/processes.ts';
import { fateOf } from '../linux/seccomp-fate.ts';
import { describeFailure, killedHint } from './failures/failure.ts';

const seccomp = '/linux/seccomp';

/** SIGSYS, by which a filter ends a process. */
const sigsys = 31;

/**
 * Explains why init closed its socket without a report. A seccomp filter may have kept it from reporting that execve
 * failed, or killed it in execve; the process is then ending, and still has its name. One already reaped by its parent
 * has no name any more; the filter itself then tells what it does with execve.
 *
 * @param init with its start time if it may have been reaped and its pid reused
 * @param ops the last ops of init
 * @param filter the program (struct sock_filter[]) that init has loaded
 * @returns undefined when init became the program
 */
export function unreportedFailure(
  init: { pid: number; startTime?: number } | undefined,
  ops: readonly Op[],
  filter: () => Uint8Array | undefined = () => undefined,
): TsrunError | undefined {
  const exec = ops.find(({ op }) => op === 'exec') as ExecOp | undefined;
  if (init === undefined || exec === undefined || !ops.some(({ op }) => op === 'load-seccomp')) return undefined;
  const process = processStat(init.pid);
  if (process === undefined || (init.startTime ?? process.startTime) !== process.startTime) {
    return forbidden(exec, filter(), ops);
  }
  if (!process.isEnding || process.name !== initName) return undefined;
  const signal = process.waitStatus & 0x7f;
  return signal === 0 ? refused(exec, process.waitStatus >>> 8, ops) : killed(signal);
}

function forbidden(exec: ExecOp, filter: Uint8Array | undefined, ops: readonly Op[]): TsrunError | undefined {
  const fate = filter && fateOf(filter, 'execve');
  if (fate === undefined || fate === 'allowed') return undefined;
  return fate === 'killed' ? killed(sigsys) : refused(exec, fate.error, ops);
}

function refused(exec: ExecOp, error: number, ops: readonly Op[]): TsrunError {
  return describeFailure(exec, { error, value: 0, detail: '' }, ops);
}

function killed(signal: number): TsrunError {
  return new TsrunError(`the container's init was killed by signal ${signal} in execve`, {
    pointer: seccomp,
    // Any other signal is init's own doing: the filter does not even let it exit.
    hint: killedHint(signal) ?? `${seccomp} must allow execve${signal === sigsys ? '' : ' and exit_group'}`,
  });
}
