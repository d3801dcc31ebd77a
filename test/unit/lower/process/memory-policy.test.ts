import t from 'tap';
import type { LinuxMemoryPolicy } from '../../../../src/generated/spec.ts';
import { type FullSpec, kernel, opsOf, planOf, refusalOf } from '../lowering.ts';

function policy(memoryPolicy: LinuxMemoryPolicy) {
  return (spec: FullSpec) => {
    spec.linux.memoryPolicy = memoryPolicy;
  };
}

t.test('mode and flags become one number, nodes a mask', async (t) => {
  const plan = planOf(policy({ mode: 'MPOL_BIND', nodes: '0-1,64', flags: ['MPOL_F_STATIC_NODES'] }));
  t.same(opsOf(plan, 'set-memory-policy'), [
    {
      from: '/linux/memoryPolicy',
      policy: 'MPOL_BIND|MPOL_F_STATIC_NODES',
      mode: 2 | (1 << 15),
      nodes: [3n, 1n],
    },
  ]);
});

t.test('without nodes there is no mask', async (t) => {
  t.match(opsOf(planOf(policy({ mode: 'MPOL_LOCAL', nodes: '' })), 'set-memory-policy'), [{ mode: 4, nodes: [] }]);
});

t.test('modes and flags of later kernels are refused with the version they need', async (t) => {
  t.match(
    refusalOf(policy({ mode: 'MPOL_WEIGHTED_INTERLEAVE', nodes: '0' }), kernel(6, 8)),
    /^\/linux\/memoryPolicy\/mode: MPOL_WEIGHTED_INTERLEAVE needs Linux 6\.9/,
  );
  t.match(
    refusalOf(policy({ mode: 'MPOL_PREFERRED_MANY', nodes: '0' }), kernel(5, 14)),
    /^\/linux\/memoryPolicy\/mode: MPOL_PREFERRED_MANY needs Linux 5\.15/,
  );
  t.match(
    refusalOf(policy({ mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_NUMA_BALANCING'] }), kernel(5, 11)),
    /^\/linux\/memoryPolicy\/flags\/0: MPOL_F_NUMA_BALANCING needs Linux 5\.12/,
  );
});

t.test('nodes that are not a list, or beyond what any kernel has, are refused', async (t) => {
  t.match(refusalOf(policy({ mode: 'MPOL_BIND', nodes: '0,a' })), /^\/linux\/memoryPolicy\/nodes: must be a list/);
  t.match(refusalOf(policy({ mode: 'MPOL_BIND', nodes: '3-1' })), /^\/linux\/memoryPolicy\/nodes: must be a list/);
  t.match(refusalOf(policy({ mode: 'MPOL_BIND', nodes: '1024' })), /nodes: 1024 is too large, at most 1023/);
});
