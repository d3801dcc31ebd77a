/** What does not depend on how busy the machine is: the instructions that a command executes in user space. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const hasValgrind = () => existsSync('/usr/bin/valgrind');

/**
 * User instructions of one `plan`, counted by valgrind: the way from the command line and config.json to the plan, which
 * is most of the JavaScript of a `run`. Of a `run` valgrind 3.19 knows not all system calls.
 */
export function planInstructions(runtime, bundle) {
  const command = [...runtime, 'plan', '--format', 'json', '--bundle', bundle];
  const counter = ['--tool=callgrind', '--callgrind-out-file=/dev/null'];
  const { status, stderr } = spawnSync('valgrind', [...counter, ...command], { encoding: 'utf8' });
  const [, count] = /Collected : (\d+)/.exec(stderr) ?? [];
  if (status !== 0 || count === undefined) throw new Error(`valgrind counts nothing: ${stderr}`);
  return Number(count);
}
