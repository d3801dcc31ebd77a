import { constants } from 'node:os';
import type { Op, RaiseHardLimitOp, SetRlimitOp } from '../../generated/ops.ts';
import { parameterValue } from './namespace-hints.ts';

/** A hint about the process's attributes, where one errno of the kernel has a few known reasons. */
export function processHint(op: Op, error: number): string | undefined {
  if ((op.op === 'set-rlimit' || op.op === 'raise-hard-limit') && error === constants.errno.EPERM)
    return rlimitHint(op);
  if (op.op === 'load-seccomp') return seccompHint(error);
  return attributeHint(op, error);
}

/** fs.nr_open limits every user, root too (getrlimit(2)). */
function rlimitHint({ type, hard }: SetRlimitOp | RaiseHardLimitOp): string {
  const most = type === 'RLIMIT_NOFILE' ? parameterValue('fs/nr_open') : undefined;
  if (most !== undefined && BigInt(hard) > BigInt(most))
    return `nobody may have more than fs.nr_open, which is ${most}`;
  return 'raising a hard limit needs CAP_SYS_RESOURCE';
}

function seccompHint(error: number): string | undefined {
  const { EAGAIN, EBUSY, EINVAL } = constants.errno;
  if (error === EAGAIN) {
    return 'passing on the listener needs two more tasks: check /linux/resources/pids/limit, RLIMIT_NPROC and the scheduler';
  }
  if (error === EBUSY) return 'a filter with a listener holds already, and there can be only one';
  return error === EINVAL ? 'is the kernel built with CONFIG_SECCOMP_FILTER?' : undefined;
}

function attributeHint(op: Op, error: number): string | undefined {
  const { EACCES, EBUSY, EINVAL, ENOSYS, ENOTDIR, EOPNOTSUPP, EPERM } = constants.errno;
  switch (op.op) {
    case 'enter-cwd':
      return error === ENOTDIR ? 'something on the way is a file, or it is itself: name a directory' : undefined;
    case 'set-oom-score-adj':
      return error === EACCES ? 'lowering oom_score_adj needs CAP_SYS_RESOURCE' : undefined;
    case 'set-scheduler':
      if (error === EPERM) return `${op.policy} with these values needs CAP_SYS_NICE, and a cgroup that allows it`;
      if (error === EBUSY) return 'the CPUs have not enough time left for this deadline';
      if (error === EOPNOTSUPP) return 'the kernel is built without utilization clamping';
      return error === EINVAL ? 'the kernel takes no such times or flags for this policy' : undefined;
    case 'set-io-priority':
      return error === EPERM ? `${op.class} needs CAP_SYS_NICE` : undefined;
    case 'set-memory-policy':
      if (error === ENOSYS) return 'the kernel is built without NUMA';
      return error === EINVAL ? 'does the host have these NUMA nodes, and the cpuset allow them?' : undefined;
    case 'set-cpu-affinity':
    case 'set-own-cpu-affinity':
      return error === EINVAL ? `does the host have one of the CPUs ${op.cpus}, and the cpuset allow it?` : undefined;
    case 'set-apparmor-profile':
      return error === constants.errno.ENOENT ? `no profile ${op.profile} is loaded` : undefined;
    default:
      return undefined;
  }
}
