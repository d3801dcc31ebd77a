/** Counts that do not depend on how busy the machine is: the instructions that a command executes in user space. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const hasValgrind = () => existsSync('/usr/bin/valgrind');

/**
 * User instructions of one `plan`, counted by valgrind: from the command line and config.json to the plan, which is
 * most of the JavaScript of a `run`. valgrind 3.19 does not know all system calls of a `run`.
 */
export function planInstructions(runtime, bundle) {
  const command = [...runtime, 'plan', '--format', 'json', '--bundle', bundle];
  const counter = ['--tool=callgrind', '--callgrind-out-file=/dev/null'];
  const { status, stderr } = spawnSync('valgrind', [...counter, ...command], { encoding: 'utf8' });
  const [, count] = /Collected : (\d+)/.exec(stderr) ?? [];
  if (status !== 0 || count === undefined) throw new Error(`valgrind counts nothing: ${stderr}`);
  return Number(count);
}
