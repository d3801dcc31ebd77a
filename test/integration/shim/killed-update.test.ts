/** The shim's engine is killed within Update: the next one carries all of it out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { killBefore, requires, sandbox, waitFor } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

const files = ['/bin/busybox'];
const needs = { root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs', files } as const;
const skip = requires({ ...needs, commands: ['strace'], controllers: ['hugetlb'] });

const [first, second] = ['hugetlb.2MB.max', 'hugetlb.2MB.rsvd.max'];
const mebibyte = 1024 * 1024;

t.test('its engine is killed when of an Update it', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  const keeper = await client.keeper();
  const id = box.newId();
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const { pid } = await client.create(id, bundle.directory);
  await client.ask('Start', id);
  await client.waitForEvent(`/tasks/start of ${id}`);
  const cgroup = box.cgroupOf(bundle);
  const now = () => [first, second].map((name) => readFileSync(join(cgroup, name), 'utf8').trim());

  let limit = 0;
  for (const [name, moment] of Object.entries({
    'has changed nothing': { call: 'write', path: join(cgroup, first) },
    'has changed one limit': { call: 'close', path: join(cgroup, first) },
    'is changing the other': { call: 'write', path: join(cgroup, second) },
    'has changed both': { call: 'close', path: join(cgroup, second) },
  })) {
    limit += 2 * mebibyte;
    const value = String(limit);
    const engine = await waitFor('an engine', () => client.engine(keeper));
    const killed = await killBefore(box, engine, moment);
    await client.update(id, { unified: { [first]: value, [second]: value } });
    await killed();
    t.strictSame(now(), [value, value], name);
    t.match(await client.ask('State', id), { pid });
  }
  const tooMuch = { unified: { [first]: '0', 'no.such-file': '1' } };
  await t.rejects(client.update(id, tooMuch), /no\.such-file/);
  t.strictSame(now(), [String(limit), String(limit)], 'an Update that fails changes nothing');
  await client.kill(id, 9);
  t.equal((await client.ask('Wait', id)).exit_status, 137);
  await client.ask('Delete', id);
});
