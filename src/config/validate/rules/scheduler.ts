/** Scheduling of the process: scheduler and ioPriority (config.md; sched(7), sched_setattr(2), ioprio_set(2)). */
import type { Scheduler, SchedulerPolicy } from '../../../generated/spec.ts';
import type { Problem } from '../finding.ts';
import { type Rule, when } from './rule.ts';

const realTime: readonly SchedulerPolicy[] = ['SCHED_FIFO', 'SCHED_RR'];
const fair: readonly SchedulerPolicy[] = ['SCHED_OTHER', 'SCHED_BATCH'];

export const schedulerErrors: Rule[] = [
  schedulerRule('scheduler-nice', ({ nice = 0 }, at) =>
    when(nice < -20 || nice > 19, `${at}/nice`, `must be from -20 to 19, found ${nice}`),
  ),
  schedulerRule('scheduler-priority', ({ policy, priority = 0 }, at) => [
    ...onlyFor(realTime, policy, priority, `${at}/priority`),
    ...when(
      realTime.includes(policy) && (priority < 1 || priority > 99),
      `${at}/priority`,
      `must be from 1 to 99 for ${policy}, found ${priority}`,
    ),
  ]),
  schedulerRule('scheduler-deadline', ({ policy, runtime = 0, deadline = 0, period = 0 }, at) => {
    if (policy !== 'SCHED_DEADLINE') {
      const times = Object.entries({ runtime, deadline, period });
      return times.flatMap(([name, value]) => onlyFor(['SCHED_DEADLINE'], policy, value, `${at}/${name}`));
    }
    // A period of 0 means that it equals the deadline.
    const isOrdered = runtime > 0 && runtime <= deadline && (period === 0 || deadline <= period);
    const found = `found runtime ${runtime}, deadline ${deadline}, period ${period}`;
    return when(!isOrdered, at, `SCHED_DEADLINE needs 0 < runtime <= deadline <= period, ${found}`);
  }),
  {
    name: 'io-priority',
    reads: ['/process/ioPriority'],
    check: ({ process }) => {
      const priority = process?.ioPriority?.priority ?? 0;
      return when(
        priority < 0 || priority > 7,
        '/process/ioPriority/priority',
        `must be from 0 to 7, found ${priority}`,
      );
    },
  },
];

export const schedulerWarnings: Rule[] = [
  schedulerRule('scheduler-nice-unused', ({ policy, nice = 0 }, at) => {
    const message = () => `has no effect with ${policy}, found ${nice}`;
    return when(nice !== 0 && !fair.includes(policy), `${at}/nice`, message);
  }),
];

function schedulerRule(name: string, check: (scheduler: Scheduler, pointer: string) => Problem[]): Rule {
  return {
    name,
    reads: ['/process/scheduler'],
    check: ({ process }) => (process?.scheduler === undefined ? [] : check(process.scheduler, '/process/scheduler')),
  };
}

/** Go writes an unset number as 0. */
function onlyFor(policies: readonly string[], policy: string, value: number, pointer: string): Problem[] {
  const message = () => `is only for ${policies.join(' and ')}, found with ${policy}`;
  return when(value !== 0 && !policies.includes(policy), pointer, message);
}
