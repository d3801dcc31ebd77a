import t from 'tap';
import type { SchedulerFlag, SchedulerPolicy } from '../../../../src/generated/spec.ts';
import { schedulerFlags } from '../../../../src/linux/scheduler.ts';
import { schedulerPolicies } from '../../../../src/lower/process/scheduler.ts';
import { kernel, opsOf, planOf, refusalOf } from '../lowering.ts';

t.test('a scheduler becomes the arguments of sched_setattr', async (t) => {
  const plan = planOf((spec) => {
    spec.process.scheduler = {
      policy: 'SCHED_DEADLINE',
      flags: ['SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_DL_OVERRUN'],
      runtime: 1_000,
      deadline: 2_000,
      period: 3_000,
    };
  });
  t.same(opsOf(plan, 'set-scheduler'), [
    {
      from: '/process/scheduler',
      policy: 'SCHED_DEADLINE',
      number: 6,
      flags: 5,
      nice: 0,
      priority: 0,
      runtime: 1000n,
      deadline: 2000n,
      period: 3000n,
    },
  ]);
});

t.test('it is set after the last fork, which would undo RESET_ON_FORK and refuse SCHED_DEADLINE', async (t) => {
  const { ops } = planOf((spec) => {
    spec.process.scheduler = { policy: 'SCHED_FIFO', priority: 1 };
    spec.process.ioPriority = { class: 'IOPRIO_CLASS_IDLE' };
  });
  const at = (name: string) => ops.findIndex(({ op }) => op === name);
  t.ok(at('find-program') < at('set-scheduler'));
  t.equal(at('set-scheduler') + 1, at('set-io-priority'));
  t.ok(at('set-io-priority') < at('wait-start'));
});

t.test('every policy of the schema but SCHED_ISO is one of the kernel', async (t) => {
  for (const policy of Object.keys(schedulerPolicies) as SchedulerPolicy[]) {
    if (policy === 'SCHED_ISO') continue;
    const plan = planOf((spec) => {
      spec.process.scheduler = { policy };
    });
    t.equal(opsOf(plan, 'set-scheduler').length, 1, policy);
  }
  const said = refusalOf((spec) => {
    spec.process.scheduler = { policy: 'SCHED_ISO' };
  });
  t.match(said, /^\/process\/scheduler\/policy: no Linux kernel has SCHED_ISO/);
});

t.test('a flag that the kernel does not have yet is refused with the version it needs', async (t) => {
  const withFlag = (flag: SchedulerFlag) => (spec: Parameters<Parameters<typeof planOf>[0]>[0]) => {
    spec.process.scheduler = { policy: 'SCHED_OTHER', flags: [flag] };
  };
  t.match(
    refusalOf(withFlag('SCHED_FLAG_UTIL_CLAMP_MIN'), kernel(5, 2)),
    /^\/process\/scheduler\/flags\/0: SCHED_FLAG_UTIL_CLAMP_MIN needs Linux 5\.3, this is 5\.2\.0-test/,
  );
  for (const flag of Object.keys(schedulerFlags) as SchedulerFlag[]) t.ok(planOf(withFlag(flag), kernel(5, 3)), flag);
});

t.test('an I/O priority is class and priority in one number', async (t) => {
  const plan = planOf((spec) => {
    spec.process.ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 5 };
  });
  const from = '/process/ioPriority';
  t.same(opsOf(plan, 'set-io-priority'), [{ from, class: 'IOPRIO_CLASS_BE', priority: 5, value: (2 << 13) | 5 }]);
});
