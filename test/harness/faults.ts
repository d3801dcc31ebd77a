/** Commands for which a system call fails: strace(1) has the kernel answer with an error and not make the call. */
import { join } from 'node:path';
import { type Result, type RunOptions, run } from './process.ts';
import { runtimePath } from './runtime.ts';
import type { Sandbox } from './sandbox.ts';

export interface Fault {
  /** System calls as strace(1) names them, or a regular expression: `lookUps` of stopped.ts, say. */
  call: string;
  /** That the call is about; every one when it is left out. */
  path?: string;
  /** `EIO`, or with `retval=N` what the call is to return. */
  error: string;
  /** Which of these calls, as strace(1) writes it: `2`, `3+`; every one when it is left out. */
  when?: string;
}

/** Arguments of strace(1) that make it so; what it has seen is written to the file. */
export function faultArguments({ call, path, error, when }: Fault, log: string): string[] {
  const how = error.includes('=') ? error : `error=${error}`;
  const inject = `inject=${call}:${how}${when === undefined ? '' : `:when=${when}`}`;
  return ['-qq', '-o', log, '-e', `trace=${call}`, ...(path === undefined ? [] : ['-P', path]), '-e', inject];
}

/**
 * Runs the runtime to its end; the fault is its own first thread's, and with `follow` every process's that it starts.
 * Where the calls that were made matter, they are in the file `strace-COMMAND` of the sandbox's directory.
 */
export function runWithFault(
  box: Sandbox,
  fault: Fault,
  args: string[],
  { follow = false, ...options }: RunOptions & { follow?: boolean } = {},
): Promise<Result> {
  const strace = faultArguments(fault, join(box.directory, `strace-${args[0]}`));
  const command = [...(follow ? ['-f'] : []), ...strace, runtimePath, '--root', box.root, ...args];
  return run('strace', command, options);
}
