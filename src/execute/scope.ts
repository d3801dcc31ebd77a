import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupControllers } from '../cgroup/controllers.ts';
import { TsrunError } from '../errors.ts';
import type { StartScopeOp } from '../generated/ops.ts';
import { startUnit, stopUnit, type UnitName } from '../systemd/manager.ts';
import { parseProperty } from '../systemd/property.ts';

/** The unit that the op names. */
export function unitOf({ unit, user }: StartScopeOp): UnitName {
  return { name: unit, user };
}

/**
 * Lets systemd make a scope and move init into it. A scope cannot be made empty, so init has been cloned before and
 * waits; where the scope's cgroup is, the kernel says.
 *
 * @param pid of init, as systemd sees it
 * @returns absolute path of the scope's cgroup
 * @throws TsrunError when systemd refuses, or has no controller that a limit needs
 */
export function startScope(op: StartScopeOp, pid: number): string {
  const unit = unitOf(op);
  startUnit(unit, [...op.properties.map(parseProperty), { name: 'PIDs', type: 'au', value: [pid] }]);
  try {
    return scopeCgroup(op, pid);
  } catch (error) {
    stopUnit(unit);
    throw error;
  }
}

function scopeCgroup(op: StartScopeOp, pid: number): string {
  const relative = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  if (relative === undefined || !relative.endsWith(`/${op.unit}`)) {
    throw new TsrunError(`systemd started ${op.unit}, but init is in the cgroup ${relative ?? '(none)'}`);
  }
  const path = join(op.mount, relative);
  const available = cgroupControllers(path);
  const missing = op.controllers.find((controller) => !available.includes(controller));
  if (missing === undefined) return path;
  throw new TsrunError(`controller ${missing} is not available for ${op.unit}`, {
    hint: op.user
      ? 'delegate it to the user: Delegate=yes in a drop-in of user@.service'
      : `systemd did not enable it in ${path}`,
  });
}
