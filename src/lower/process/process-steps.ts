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

/** The part of a plan that makes a process what its config says; create and exec add what differs around it. */
export interface ProcessSteps {
  /** First of all: a profile that does not compile leaves nothing to undo. */
  readonly compile: readonly Op[];
  /** In the final root and working directory: attributes and identity, up to the program that was found. */
  readonly identity: readonly Op[];
  /** By the runtime, on the process that stays. */
  readonly outside: readonly Op[];
  /** Right before the program. */
  readonly exec: readonly Op[];
}

/** One order for create and exec, so that no property of a process can hold in one and be forgotten in the other. */
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
      // The kernel applies a label on execve, so that setting up goes on without it; capabilities may be needed to ask.
      ...lowerLabels(context),
      ...capabilities.beforeUser,
      ...lowerUser(context),
      ...capabilities.afterUser,
      ...lowerNoNewPrivileges(context),
      // As the container's user and in its directory, so that what is found here is what execve will find; at create,
      // so that a missing program is an error of create.
      ...program.find,
    ],
    // The runtime's privileges count even where init is in a user namespace.
    outside: [...lowerIntelRdt(context, { joining }), ...lowerScheduler(context), ...lowerIoPriority(context)],
    // The filter last but execve, so that a profile has to allow none of init's own calls.
    exec: [...program.prepare, ...seccomp.load, ...program.exec],
  };
}
