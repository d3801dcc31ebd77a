/** What the shim's option NoPivotRoot changes. Nothing in the container shows it, so the calls of its init are watched. */
import t from 'tap';
import { requires, sandbox, waitFor, watchCalls } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

const files = ['/bin/busybox'];
const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files, commands: ['strace'] });

t.test('NoPivotRoot', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  const engine = await waitFor('an engine', async () => client.engine(await client.keeper()));

  async function callsOfCreate(): Promise<string> {
    const id = box.newId();
    const bundle = box.bundle((spec) => {
      spec.process.args = ['true'];
    });
    const calls = await watchCalls(box, engine, 'pivot_root,chroot');
    await client.create(id, bundle.directory);
    const seen = await calls();
    await client.ask('Start', id);
    t.equal((await client.ask('Wait', id)).exit_status, 0);
    await client.ask('Delete', id);
    return seen;
  }

  const pivots = await callsOfCreate();
  t.match(pivots, /pivot_root\(/);
  t.notMatch(pivots, /chroot\(/);
  client.setOptions(box, ['NoPivotRoot = true']);
  const moves = await callsOfCreate();
  t.match(moves, /chroot\(/);
  t.notMatch(moves, /pivot_root\(/);
});
