/** The short form of `npm run soak`. */
import t from 'tap';
import { hasCHelpers } from '../harness/c-helper.ts';
import { requires, sandbox } from '../harness/index.ts';
import { soak } from './soak.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun' }) || (!hasCHelpers() && 'needs gcc');

t.test('1,000 containers, 8 at once, leave nothing', { skip }, async (t) => {
  const { faults } = await soak(sandbox(t), 1000, 8);
  t.same(faults, []);
});
