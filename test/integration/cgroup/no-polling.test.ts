/** `kill` and `delete` wait for events of the kernel, and never sleep and look again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, run, runtimePath, type Sandbox, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', commands: ['strace'] });

/** Calls with which a program can wait for time to pass. Those of an event loop have no time, or wait for ever. */
const waits = 'nanosleep,clock_nanosleep,poll,ppoll,select,pselect6,rt_sigtimedwait';

/** Runs the command and returns its waits that ended because of a timeout. */
async function timedWaits(box: Sandbox, ...args: string[]): Promise<string[]> {
  const log = join(box.directory, 'strace');
  const { code, stderr } = await run('strace', [
    '-f',
    '-e',
    `trace=${waits}`,
    '-o',
    log,
    runtimePath,
    '--root',
    box.root,
    ...args,
  ]);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /nanosleep|\(Timeout\)/.test(line));
}

/** A container with a dozen processes, none of which ends by itself. */
async function crowd(box: Sandbox, ownPids: boolean): Promise<string> {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', 'trap "" USR1; for i in 1 2 3 4 5 6; do (sleep 1000; :) & done; wait'];
    if (!ownPids) spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'pid');
  });
  const id = await box.createAndStart(bundle);
  return id;
}

for (const ownPids of [true, false]) {
  const where = ownPids ? 'in a pid namespace' : 'in the pid namespace of the host';
  t.test(`kill and delete of a container ${where}`, { skip }, async (t) => {
    const box = sandbox(t);
    const running = await crowd(box, ownPids);
    t.strictSame(await timedWaits(box, 'kill', running, '0'), []);
    t.strictSame(await timedWaits(box, 'kill', '--all', running, 'USR1'), [], 'frozen, each signalled, thawed');
    t.strictSame(await timedWaits(box, 'delete', '--force', running), []);
    const killed = await crowd(box, ownPids);
    t.strictSame(await timedWaits(box, 'kill', killed, 'KILL'), []);
    await box.waitForState(killed, 'stopped');
    t.strictSame(await timedWaits(box, 'delete', killed), []);
  });
}
