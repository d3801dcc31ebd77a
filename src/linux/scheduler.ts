import type { SchedulerFlag } from '../generated/spec.ts';

/** SCHED_FLAG_* of sched_setattr(2). */
export const schedulerFlags: Readonly<
  Record<SchedulerFlag, { value: number; since: readonly [major: number, minor: number] }>
> = {
  SCHED_FLAG_RESET_ON_FORK: { value: 0x01, since: [3, 14] },
  SCHED_FLAG_RECLAIM: { value: 0x02, since: [4, 13] },
  SCHED_FLAG_DL_OVERRUN: { value: 0x04, since: [4, 16] },
  SCHED_FLAG_KEEP_POLICY: { value: 0x08, since: [5, 3] },
  SCHED_FLAG_KEEP_PARAMS: { value: 0x10, since: [5, 3] },
  SCHED_FLAG_UTIL_CLAMP_MIN: { value: 0x20, since: [5, 3] },
  SCHED_FLAG_UTIL_CLAMP_MAX: { value: 0x40, since: [5, 3] },
};
