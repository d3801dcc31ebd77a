import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { IOPriorityClass, SchedulerFlag, SchedulerPolicy } from '../../generated/spec.ts';
import { schedulerFlags } from '../../linux/scheduler.ts';
import { type Context, exactInteger } from '../context.ts';
import { requireKernel } from '../kernel.ts';

/** SCHED_* from linux/sched.h. SCHED_ISO has a number there, but no kernel implements it. */
export const schedulerPolicies: Readonly<Record<SchedulerPolicy, number | undefined>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: undefined,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

/** config.md, Linux Process, scheduler. */
export function lowerScheduler(context: Context): Op[] {
  const scheduler = context.spec.process?.scheduler;
  if (scheduler === undefined) return [];
  const from = '/process/scheduler';
  const number = schedulerPolicies[scheduler.policy];
  if (number === undefined) {
    throw new TsrunError(`no Linux kernel has ${scheduler.policy}`, {
      about: `${from}/policy`,
      hint: 'the nearest are SCHED_BATCH and SCHED_RR',
    });
  }
  const nanoseconds = (name: 'runtime' | 'deadline' | 'period') =>
    exactInteger(context, `${from}/${name}`, scheduler[name] ?? 0);
  return [
    {
      op: 'set-scheduler',
      by: 'runtime',
      from,
      policy: scheduler.policy,
      number,
      flags: flagBits(context, scheduler.flags ?? []),
      nice: scheduler.nice ?? 0,
      priority: scheduler.priority ?? 0,
      runtime: nanoseconds('runtime'),
      deadline: nanoseconds('deadline'),
      period: nanoseconds('period'),
    },
  ];
}

function flagBits(context: Context, flags: readonly SchedulerFlag[]): number {
  return flags.reduce((bits, flag, index) => {
    const { value, since } = schedulerFlags[flag];
    requireKernel(context, `/process/scheduler/flags/${index}`, flag, since);
    return bits | value;
  }, 0);
}

/** IOPRIO_CLASS_* from linux/ioprio.h. */
const ioPriorityClasses: Readonly<Record<IOPriorityClass, number>> = {
  IOPRIO_CLASS_RT: 1,
  IOPRIO_CLASS_BE: 2,
  IOPRIO_CLASS_IDLE: 3,
};

const ioPriorityClassShift = 13;

/** config.md, Linux Process, ioPriority. */
export function lowerIoPriority({ spec }: Context): Op[] {
  const ioPriority = spec.process?.ioPriority;
  if (ioPriority === undefined) return [];
  const { class: name, priority = 0 } = ioPriority;
  const value = (ioPriorityClasses[name] << ioPriorityClassShift) | priority;
  return [{ op: 'set-io-priority', by: 'runtime', from: '/process/ioPriority', class: name, priority, value }];
}
