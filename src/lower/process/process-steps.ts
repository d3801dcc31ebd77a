import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';
import { lowerIntelRdt } from '../limits/intel-rdt.ts';
import { lowerCapabilities } from './capabilities.ts';
import { lowerExec } from './exec.ts';
import { lowerLabels } from './labels.ts';
import { lowerMemoryPolicy } from './memory-policy.ts';
import { lowerPersonality } from './personality.ts';
import { lowerLimits, lowerNoNewPrivileges } from './process.ts';
import { lowerIoPriority, lowerScheduler } from './scheduler.ts';
import { lowerSeccomp } from './seccomp.ts';
import { lowerUser } from './user.ts';

/** The part of a plan that gives a process what its config says; create and exec add their own parts around it. */
export interface ProcessSteps {
  /** First: if a profile does not compile, there is nothing to undo. */
  readonly compile: readonly Op[];
  /** In the final root and working directory: attributes and identity, until the program is found. */
  readonly identity: readonly Op[];
  /** Done by the runtime to the process that stays. */
  readonly outside: readonly Op[];
  /** Right before the program starts. */
  readonly exec: readonly Op[];
}

/**
 * create and exec share this order, so that a property of a process cannot work in one and be forgotten in the other.
 */
export function lowerProcessSteps(context: Context, { joining = false } = {}): ProcessSteps {
  const capabilities = lowerCapabilities(context);
  const seccomp = lowerSeccomp(context);
  const program = lowerExec(context);
  return {
    compile: seccomp.compile,
    identity: [
      ...lowerLimits(context),
      ...lowerMemoryPolicy(context),
      ...lowerPersonality(context),
      // The kernel applies a label at execve, so the setup goes on without it; asking for one may need capabilities.
      ...lowerLabels(context),
      ...capabilities.beforeUser,
      ...lowerUser(context),
      ...capabilities.afterUser,
      ...lowerNoNewPrivileges(context),
      // As the container's user and in its directory, so that execve finds the same program; at create, so that a
      // missing program is an error of create.
      ...program.find,
    ],
    // By the runtime, whose privileges count even if init is in a user namespace.
    outside: [...lowerIntelRdt(context, { joining }), ...lowerScheduler(context), ...lowerIoPriority(context)],
    // Only execve comes after the filter, so a profile need not allow any call of init's own.
    exec: [...program.prepare, ...seccomp.load, ...program.exec],
  };
}
