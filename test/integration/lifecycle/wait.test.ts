/** `wait`: reports how a container ended to a process that is not its parent. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import t from 'tap';
import { cgroupDriver, requires, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });
const [major = 0, minor = 0] = release().split('.').map(Number);
const keepsStatus = major > 6 || (major === 6 && minor >= 15) ? skip : 'needs Linux 6.15';

function program(box: Sandbox, script: string) {
  return box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
  });
}

t.test('wait reports the exit code of a detached container', { skip: keepsStatus }, async (t) => {
  const box = sandbox(t);
  const bundle = program(box, 'until [ -e /go ]; do sleep 0.01; done; exit 7');
  const id = await box.createAndStart(bundle);
  const text = box.startRuntime(['wait', id]);
  const json = box.startRuntime(['wait', '--format', 'json', id]);
  for (const { pid } of [text, json]) await waitFor('both waits', () => holdsPidfd(pid));
  bundle.addFile('go', '');
  t.match(await text.done, { code: 0, stdout: 'exited with status 7\n' });
  t.match(JSON.parse((await json.done).stdout), { code: 7, signal: null });
});

t.test('wait reports the signal that ended a container', { skip: keepsStatus }, async (t) => {
  const box = sandbox(t);
  const id = await box.createAndStart(program(box, 'sleep 1000'));
  const waiting = box.startRuntime(['wait', id]);
  await waitFor('the wait', () => holdsPidfd(waiting.pid));
  await box.runtimeOk(['kill', id, 'KILL']);
  t.match(await waiting.done, { code: 0, stdout: 'was killed by signal 9 (SIGKILL)\n' });
});

t.test(
  'wait reports that a container ran out of memory',
  { skip: keepsStatus || requires({ root: true, runtime: 'tsrun', controllers: ['memory'] }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = program(box, 'until [ -e /go ]; do sleep 0.01; done; exec tail /dev/zero').edit((spec) => {
      spec.linux.resources = { ...spec.linux.resources, memory: { limit: 16 * 1024 * 1024, swap: 16 * 1024 * 1024 } };
    });
    const id = await box.createAndStart(bundle);
    const waiting = box.startRuntime(['wait', '--format', 'json', id]);
    await waitFor('the wait', () => holdsPidfd(waiting.pid));
    bundle.addFile('go', '');
    t.same(JSON.parse((await waiting.done).stdout), { code: null, signal: 9, oomKilled: true });
    const text = 'was killed by signal 9 (SIGKILL), out of memory\n';
    const kept = box.newId();
    t.equal((await box.runtime(['run', '--keep', '--bundle', bundle.directory, kept])).code, 137);
    t.match(await box.runtime(['wait', kept]), { code: 0, stdout: text });
  },
);

t.test(
  'state reports it for a child in a detached container, after systemd has removed the scope, too',
  { skip: requires({ root: true, runtime: 'tsrun', controllers: ['memory'] }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = program(box, 'tail /dev/zero; exit 3').edit((spec) => {
      spec.linux.resources = { ...spec.linux.resources, memory: { limit: 16 * 1024 * 1024, swap: 16 * 1024 * 1024 } };
    });
    const id = await box.createAndStart(bundle);
    await box.waitForState(id, 'stopped');
    if (cgroupDriver === 'systemd') {
      await waitFor('the end of the scope', () => (existsSync(box.cgroupOf(bundle)) ? undefined : true));
    }
    const state = await box.state(id);
    t.match(state, { status: 'stopped', oomKilled: true });
    const other = await box.createAndStart(program(box, 'exit 3'));
    const ended = await box.waitForState(other, 'stopped');
    t.notOk('oomKilled' in ended, 'and of another that it has ended otherwise');
  },
);

t.test('wait after the end says that it cannot tell, unless run --keep has seen it', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.createAndStart(program(box, 'exit 3'));
  await box.waitForState(id, 'stopped');
  await waitFor('init to be reaped', async () => ((await box.runtime(['wait', id])).code === 1 ? true : undefined));
  t.match((await box.runtime(['wait', id])).stderr, /the container has ended, but its exit status is unknown/);

  const kept = box.newId();
  t.equal((await box.runtime(['run', '--keep', '--bundle', program(box, 'exit 3').directory, kept])).code, 3);
  t.match(await box.runtime(['wait', kept]), { code: 0, stdout: 'exited with status 3\n' });
});

/** From then on the process cannot end unnoticed. */
function holdsPidfd(pid: number): true | undefined {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readLink(`/proc/${pid}/fd/${fd}`));
  return links.some((link) => link.includes('pidfd')) ? true : undefined;
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The descriptor was closed meanwhile.
    return '';
  }
}
