/** The short form of `npm run soak -- --shim`. */
import t from 'tap';
import { hasCHelpers } from '../harness/c-helper.ts';
import { requires, sandbox } from '../harness/index.ts';
import { ShimClient } from '../harness/shim-client.ts';
import { soakShim } from './shim.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun' }) || (!hasCHelpers() && 'needs gcc');

t.test('100 containers of the resident shim, 8 at once, leave nothing', { skip }, async (t) => {
  const box = sandbox(t);
  const { faults } = await soakShim(box, await ShimClient.start(t, box), 100, 8);
  t.same(faults, []);
});
