import { createCgroup, openCgroup, undoCgroup } from '../../cgroup/cgroupfs.ts';
import { filterDevices } from '../../cgroup/devices.ts';
import { removeContainerCgroup } from '../../cgroup/driver.ts';
import { ownCgroup } from '../../cgroup/ownership.ts';
import { applySetting, type SettingOp } from '../../cgroup/settings.ts';
import { closeQuietly } from '../../close.ts';
import type { TsrunError } from '../../errors.ts';
import type {
  CreateCgroupOp,
  FilterDevicesOp,
  Op,
  OpenCgroupOp,
  OwnCgroupOp,
  StartScopeOp,
} from '../../generated/ops.ts';
import { logFinding } from '../../log.ts';
import type { UndoStack } from '../../undo.ts';
import { type PlanOwner, recordIn } from '../owner.ts';
import type { Birthplace } from '../spawn.ts';
import { startScope, unitOf } from './scope.ts';

/** The ops of a plan that make or open the container's cgroup, and change it. */
export class CgroupOps implements Birthplace {
  private readonly owner: PlanOwner;
  private readonly undo: UndoStack;
  private readonly ops: readonly Op[];
  path = '';
  /** Descriptor of the cgroup; -1 without one. */
  fd = -1;
  fallback: string | null = null;

  /** @param ops the whole plan, to look up what needs a controller */
  constructor(owner: PlanOwner, undo: UndoStack, ops: readonly Op[]) {
    this.owner = owner;
    this.undo = undo;
    this.ops = ops;
  }

  create({ path, controllers, optional, from }: CreateCgroupOp): void {
    let made: string[];
    try {
      made = createCgroup(path, controllers, this.limitOf);
    } catch (error) {
      if (!optional || !isRefusal(error)) throw error;
      const { message, hint } = error as TsrunError;
      const lost = 'the container gets no cgroup, and so no limits, device rules, pause or stats';
      const pointer = from.startsWith('/') ? from : '';
      logFinding('info', { pointer, message: `${message}: ${lost}`, hint });
      return recordIn(this.owner, { cgroup: null });
    }
    this.undo.push(() => undoCgroup(path, made));
    this.path = path;
    this.fd = openCgroup(path);
  }

  /** @param pid of init; systemd makes no scope without a process */
  startScope(op: StartScopeOp, pid: number): void {
    const unit = unitOf(op);
    // Recorded before the scope is there: if create is killed meanwhile, delete must remove it.
    recordIn(this.owner, { cgroup: null, unit });
    const path = startScope(op, pid, this.limitOf);
    this.undo.push(() => removeContainerCgroup({ path, unit }));
    recordIn(this.owner, { cgroup: path, unit });
    this.path = path;
    this.fd = openCgroup(path);
  }

  open({ path, fallback }: OpenCgroupOp): void {
    this.path = path;
    this.fd = openCgroup(path);
    this.fallback = fallback;
  }

  // Only an ordinary user may be without a cgroup (see create); the ops on it then do nothing.

  set(op: SettingOp): void {
    if (this.fd >= 0) applySetting(this.path, op);
  }

  filterDevices({ rules, required }: FilterDevicesOp): void {
    if (this.fd >= 0) filterDevices(this.fd, rules, required);
  }

  own({ uid }: OwnCgroupOp): void {
    if (this.fd >= 0) ownCgroup(this.path, Number(uid));
  }

  /** The property of the first limit that needs a controller. */
  private readonly limitOf = (controller: string): string | undefined => {
    const needs = (op: Op) => op.op === 'write-cgroup-file' && op.file.startsWith(`${controller}.`);
    return this.ops.find((op) => needs(op) || (op.op === 'set-io-weight' && controller === 'io'))?.from;
  };

  close(): void {
    if (this.fd >= 0) closeQuietly(this.fd);
    this.fd = -1;
  }
}

/** Whether the kernel does not permit this to the user. */
function isRefusal(error: unknown): boolean {
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  return ['EACCES', 'EPERM', 'EROFS'].includes(cause?.code ?? '');
}
