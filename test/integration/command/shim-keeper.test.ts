/** The shim's keeper, with a shell in place of its engine: what it notes of a process that has become its child. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot, requires, sandbox, waitFor } from '../../harness/index.ts';

const keeper = 'build/Release/tsrun-shim-keeper';
const skip = requires({ runtime: 'tsrun', files: [keeper] });

/** Field 22 of proc_pid_stat(5). */
const startTimeOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ')[19];

t.test('it starts a dead engine again, and notes how the orphan of the first one ends', { skip }, async (t) => {
  const { directory } = sandbox(t);
  const at = (name: string) => join(directory, name);
  // The first engine leaves a child behind and fails; the second one ends well once it may.
  const engine = `cd ${directory}; [ -e orphan ] || { sleep 1000 & echo $! > draft; mv draft orphan; exit 1; }
    until [ -e end ]; do sleep 0.05; done`;
  const child = spawn(join(repoRoot, keeper), [at('socket'), '/bin/sh', '-c', engine], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  // Whole: with its last line end.
  const textOf = (name: string) =>
    existsSync(at(name)) ? /^.*\n$/s.exec(readFileSync(at(name), 'utf8'))?.[0] : undefined;
  const pid = Number(await waitFor('the orphan', () => textOf('orphan')));
  const parentOf = () => /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  await waitFor('its new parent', () => parentOf() === String(child.pid) || undefined);
  const startTime = startTimeOf(pid);
  process.kill(pid, 'SIGTERM');
  t.equal(await waitFor('the note', () => textOf('socket.exits')), `${pid} ${startTime} 15 program\n`);
  writeFileSync(at('end'), '');
  t.same(await exit, [0, null]);
});
