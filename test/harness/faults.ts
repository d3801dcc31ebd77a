/**
 * Commands for which a system call fails: by way of strace(1) the kernel returns an error and does not make the call.
 */
import { join } from 'node:path';
import { type Result, type RunOptions, run } from './process.ts';
import { runtimePath } from './runtime.ts';
import type { Sandbox } from './sandbox.ts';

export interface Fault {
  /** System calls as strace(1) names them, or a regular expression: `lookUps` of stopped.ts, say. */
  call: string;
  /** The path that the call is about; any if left out. */
  path?: string;
  /** The error, such as `EIO`; or `retval=N`, a value that the call returns. */
  error: string;
  /** Which of these calls, as strace(1) writes it: `2`, `3+`; all if left out. */
  when?: string;
}

/** The arguments of strace(1) for this fault; it logs to the file. */
export function faultArguments({ call, path, error, when }: Fault, log: string): string[] {
  const how = error.includes('=') ? error : `error=${error}`;
  const inject = `inject=${call}:${how}${when === undefined ? '' : `:when=${when}`}`;
  return ['-qq', '-o', log, '-e', `trace=${call}`, ...(path === undefined ? [] : ['-P', path]), '-e', inject];
}

/**
 * Runs the runtime to its end. The fault happens in its first thread; with `follow` in every process that it starts,
 * too. The calls that were made are in the file `strace-COMMAND` of the sandbox's directory.
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
