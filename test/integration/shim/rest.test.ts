/** A shim that has had nothing to do for long gives up its threads, and has them again for the next request. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { requires, sandbox, waitFor } from '../../harness/index.ts';
import { ofCheckout, ShimClient } from '../../harness/shim-client.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });
const sleeper = ['sleep', '1000'];

t.test('rest', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = () => box.bundle((spec) => Object.assign(spec.process, { args: sleeper, terminal: false })).directory;
  const client = await ShimClient.start(t, box, ['env', 'TSRUN_SHIM_REST_SECONDS=6', ...ofCheckout]);
  const id = box.newId();
  await client.create(id, bundle());
  await client.ask('Start', id);
  const engine = await waitFor('an engine', async () => client.engine(await client.keeper()));
  const threads = () => readdirSync(`/proc/${engine}/task`).length;
  const busy = threads();
  // Bounded by waitFor; at rest it is one thread fewer than with a single worker.
  await sleep(6000);
  const few = await waitFor('its last worker to end', () => (threads() < busy ? threads() : undefined));
  await client.exec(id, 'more', { args: ['true'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } });
  await client.ask('Start', id, 'more');
  t.equal((await client.ask('Wait', id, 'more')).exit_status, 0, 'it is there for an exec');
  t.ok(threads() > few, 'with a thread of its own');
  await client.kill(id, 9);
  t.equal((await client.ask('Wait', id)).exit_status, 137, 'and for the end of the container');
  await client.ask('Delete', id);
});
