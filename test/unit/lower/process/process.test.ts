import t from 'tap';
import type { CPUAffinity, RlimitType, Spec } from '../../../../src/generated/spec.ts';
import { lower } from '../../../../src/lower/create-plan.ts';
import { lowerExecAffinity } from '../../../../src/lower/process/cpu-affinity.ts';
import { rlimitNumbers } from '../../../../src/lower/process/rlimits.ts';
import { everything } from '../everything.ts';
import { capableHost } from '../host.ts';
import { type FullSpec, opsOf, planOf, refusalOf } from '../lowering.ts';

t.test('no limit, 2^64 - 1, survives JSON.parse', async (t) => {
  const { ops } = planOf((spec) => {
    spec.process.rlimits = JSON.parse('[{"type":"RLIMIT_AS","soft":1,"hard":18446744073709551615}]');
  });
  t.match(
    ops.find(({ op }) => op === 'set-rlimit'),
    { soft: 1n, hard: 0xffffffffffffffffn },
  );
});

t.test('numbers above 2^53 are taken from the text', async (t) => {
  const spec = everything();
  const exactInteger = (pointer: string) => (pointer === '/process/rlimits/0/hard' ? 9007199254740993n : undefined);
  spec.process = { cwd: '/', args: ['a'], rlimits: [{ type: 'RLIMIT_AS', soft: 1, hard: 2 ** 53 }] };
  spec.linux = { namespaces: [{ type: 'mount' }] };
  delete spec.mounts;
  const { ops } = lower(spec, capableHost(), { id: 'c1', bundle: '/bundle', exactInteger });
  t.match(
    ops.find(({ op }) => op === 'set-rlimit'),
    { hard: 9007199254740993n },
  );
});

t.test('every rlimit type has its number', async (t) => {
  const types = Object.keys(rlimitNumbers) as RlimitType[];
  const plan = planOf((spec) => {
    spec.process.rlimits = types.map((type) => ({ type, soft: 1, hard: 2 }));
  });
  t.same(
    opsOf(plan, 'set-rlimit')
      .map((op) => (op as { resource: number }).resource)
      .sort((a, b) => a - b),
    Array.from({ length: 16 }, (_, number) => number),
  );
});

t.test('hard limits are raised before a user namespace takes that right away', async (t) => {
  const inUserNamespace = (spec: FullSpec) => {
    spec.linux.namespaces?.push({ type: 'user' });
  };
  t.equal(
    opsOf(
      planOf(() => {}),
      'raise-hard-limit',
    ).length,
    0,
  );
  t.match(opsOf(planOf(inUserNamespace), 'raise-hard-limit'), [{ type: 'RLIMIT_NOFILE', resource: 7, hard: 1024n }]);
});

t.test('what is unset changes nothing', async (t) => {
  const plan = planOf((spec) => {
    spec.process = { cwd: '/', args: ['true'] };
    delete spec.linux.seccomp;
  });
  const setters = plan.ops.filter(({ op }) =>
    ['set-rlimit', 'set-oom-score-adj', 'set-scheduler', 'set-io-priority', 'no-new-privileges'].includes(op),
  );
  t.same(setters, []);
});

t.test('noNewPrivileges: false is the same as unset', async (t) => {
  const plan = planOf((spec) => {
    spec.process.noNewPrivileges = false;
  });
  t.same(opsOf(plan, 'no-new-privileges'), []);
});

t.test('personality', async (t) => {
  const plan = planOf((spec) => {
    spec.linux.personality = { domain: 'LINUX32' };
  });
  t.match(opsOf(plan, 'set-personality'), [{ domain: 'LINUX32', persona: 8 }]);
  const said = refusalOf((spec) => {
    spec.linux.personality = { domain: 'LINUX', flags: ['ADDR_NO_RANDOMIZE'] };
  });
  t.match(said, /^\/linux\/personality\/flags: ADDR_NO_RANDOMIZE/);
});

function adding(execCPUAffinity: CPUAffinity): Pick<Spec, 'process'> {
  return { process: { cwd: '/', args: ['true'], execCPUAffinity } };
}

t.test('execCPUAffinity is for exec: the first by the runtime, the last by init', async (t) => {
  const { initial, final } = lowerExecAffinity(adding({ initial: '0-1,3', final: '65' }));
  t.match(initial, [{ op: 'set-own-cpu-affinity', by: 'runtime', cpus: '0-1,3', mask: [11n] }]);
  t.match(final, [{ op: 'set-cpu-affinity', by: 'init', cpus: '65', mask: [0n, 2n] }]);
  t.same(lowerExecAffinity({}), { initial: [], final: [] });
  t.throws(() => lowerExecAffinity(adding({ initial: '9999' })), {
    message: /^\/process\/execCPUAffinity\/initial: 9999 is too large/,
  });
  const create = planOf((spec) => {
    spec.process.execCPUAffinity = { initial: '0', final: '0' };
  });
  t.same([...opsOf(create, 'set-cpu-affinity'), ...opsOf(create, 'set-own-cpu-affinity')], []);
});
