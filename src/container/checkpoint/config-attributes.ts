/** What config.json asks for and CRIU (4.2.1) loses: the runtime sets it again. */
import { addon } from '../../addon.ts';
import type { InheritedAttributes } from '../../criu/service.ts';
import { errorCode, TsrunError } from '../../errors.ts';
import type { Op, WriteSysctlOp } from '../../generated/ops.ts';
import { sysctlNamespace } from '../../linux/sysctl.ts';
import { logFinding } from '../../log.ts';
import type { Plan } from '../../plan/plan.ts';

export function inheritedAttributes({ ops }: Plan): InheritedAttributes {
  const personality = find(ops, 'set-personality');
  const policy = find(ops, 'set-memory-policy');
  return {
    ...(personality && { persona: Number(personality.persona) }),
    ...(policy && {
      memoryPolicy: { mode: Number(policy.mode), nodes: BigUint64Array.from(policy.nodes, (word) => BigInt(word)) },
    }),
  };
}

function find<Name extends Op['op']>(ops: readonly Op[], name: Name): Extract<Op, { op: Name }> | undefined {
  return ops.find((op): op is Extract<Op, { op: Name }> => op.op === name);
}

/**
 * Writes the parameters of these namespaces. CRIU brings back only some of them, and the config may ask for other
 * values than when the container was saved. CRIU writes those of the ipc namespace late, and those of the network
 * must be there before it restores sockets.
 *
 * @param pidfd of a process in the container's namespaces
 * @throws TsrunError for a value that the kernel refuses
 */
export function writeSysctls({ ops }: Plan, pidfd: number, when: 'before sockets' | 'at the end'): void {
  for (const op of ops) {
    if (op.op !== 'write-sysctl') continue;
    const namespace = sysctlNamespace(op.key);
    if ((namespace === 'network') !== (when === 'before sockets')) continue;
    // Only a process in such a namespace can write these.
    if (namespace === 'pid' || namespace === 'user') {
      logFinding('warning', {
        pointer: op.from,
        message: `not set again by restore: it has what the kernel has for a new ${namespace} namespace`,
        hint: 'only a process in that namespace can: let the program write it',
      });
    } else writeSysctl(op, pidfd);
  }
}

function writeSysctl({ key, value, from }: WriteSysctlOp, pidfd: number): void {
  try {
    addon().writeSysctl(pidfd, key, value);
  } catch (error) {
    throw new TsrunError(`cannot write ${value} to ${key}: ${errorCode(error)}`, {
      about: from,
      hint: 'does this kernel have the parameter, with such a value?',
      cause: error,
    });
  }
}
