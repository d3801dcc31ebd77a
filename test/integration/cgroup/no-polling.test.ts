/** `kill` and `delete` wait for what the kernel tells, and never sleep until something may have happened. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, run, runtimePath, type Sandbox, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', commands: ['strace'] });

/** Calls by which a program can wait for time to pass; those of an event loop come with no time or wait for ever. */
const waits = 'nanosleep,clock_nanosleep,poll,ppoll,select,pselect6,rt_sigtimedwait';

/** Runs the command and gives its waits that ended because time had passed. */
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

/** A container that runs a dozen processes, of which none would end by itself. */
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
