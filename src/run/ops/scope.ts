import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enableControllers } from '../../cgroup/controllers.ts';
import { errorCode, TsrunError } from '../../errors.ts';
import type { StartScopeOp } from '../../generated/ops.ts';
import { scopeControlGroup, startUnit, stopUnit, type UnitName } from '../../systemd/manager.ts';
import { isProcessGone } from '../../there.ts';

type LimitOf = (controller: string) => string | undefined;

/** The unit that the op names. */
export function unitOf({ unit, user }: StartScopeOp): UnitName {
  return { name: unit, user };
}

/**
 * Lets systemd make a scope and move init into it. A scope cannot be made empty, so init has been cloned before and
 * waits; the kernel says where the scope's cgroup is.
 *
 * @param pid of init, as systemd sees it
 * @param limitOf the property that needs a controller
 * @returns absolute path of the scope's cgroup
 * @throws TsrunError when systemd refuses, or lacks a controller that a limit needs
 */
export function startScope(op: StartScopeOp, pid: number, limitOf: LimitOf): string {
  const unit = unitOf(op);
  startUnit(unit, [...op.properties, { name: 'PIDs', type: 'au', value: [pid] }]);
  try {
    return scopeCgroup(op, pid, limitOf);
  } catch (error) {
    stopUnit(unit);
    throw error;
  }
}

function scopeCgroup(op: StartScopeOp, pid: number, limitOf: LimitOf): string {
  const relative = cgroupOf(pid) ?? scopeControlGroup(unitOf(op));
  if (!relative.endsWith(`/${op.unit}`)) {
    throw new TsrunError(`systemd started ${op.unit}, but init is in the cgroup ${relative}`);
  }
  const path = join(op.mount, relative);
  try {
    // Includes those that systemd does not know (hugetlb, rdma, misc), as in a cgroup that we make ourselves.
    enableControllers(path, op.controllers, limitOf);
  } catch (error) {
    if (!op.user || !(error instanceof TsrunError)) throw error;
    throw new TsrunError(error.message, {
      code: error.code,
      pointer: error.pointer,
      hint: 'delegate it to the user: Delegate=yes in a drop-in of user@.service',
      cause: error,
    });
  }
  return path;
}

/** Undefined where /proc does not show the process (hidepid, proc(5)). */
function cgroupOf(pid: number): string | undefined {
  try {
    return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '(none)';
  } catch (error) {
    if (isProcessGone(error) || errorCode(error) === 'EPERM') return undefined;
    throw error;
  }
}
