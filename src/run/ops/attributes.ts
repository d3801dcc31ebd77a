import { addon } from '../../addon.ts';
import type { SetIoPriorityOp, SetOwnCpuAffinityOp, SetSchedulerOp } from '../../generated/ops.ts';
import { describeFailure } from '../failures/failure.ts';

type AttributeOp = SetSchedulerOp | SetIoPriorityOp | SetOwnCpuAffinityOp;

/**
 * Sets an attribute of the init process, or one of the runtime's own that init will inherit.
 *
 * @param pid of the init process, which has not been reaped, so the number cannot belong to another process
 * @throws TsrunError when the kernel refuses
 */
export function setAttribute(op: AttributeOp, pid: number): void {
  try {
    apply(op, pid);
  } catch (error) {
    const { errno } = error as { errno?: unknown };
    if (typeof errno !== 'number') throw error;
    throw describeFailure(op, { error: errno, value: 0, detail: '' });
  }
}

function apply(op: AttributeOp, pid: number): void {
  switch (op.op) {
    case 'set-scheduler':
      return addon().setScheduler(pid, {
        policy: Number(op.number),
        flags: Number(op.flags),
        nice: Number(op.nice),
        priority: Number(op.priority),
        runtime: BigInt(op.runtime),
        deadline: BigInt(op.deadline),
        period: BigInt(op.period),
      });
    case 'set-io-priority':
      return addon().setIoPriority(pid, Number(op.value));
    case 'set-own-cpu-affinity':
      return addon().setOwnCpuAffinity(BigUint64Array.from(op.mask, BigInt));
  }
}
