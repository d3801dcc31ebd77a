import { openSync } from 'node:fs';
import { addon } from '../addon.ts';
import { aboutProperty } from '../errors.ts';
import type { CloneOp, JoinResctrlOp, RuntimeOp } from '../generated/ops.ts';
import { moveNetDevice } from '../network/devices.ts';
import { libseccomp } from '../seccomp/compile.ts';
import { filterOf } from '../seccomp/filter.ts';
import { logUnknownCalls } from '../seccomp/unknown-calls.ts';
import type { UndoStack } from '../undo.ts';
import { setAttribute } from './ops/attributes.ts';
import type { CgroupOps } from './ops/cgroup.ts';
import { runHook } from './ops/hook.ts';
import { checkIdMaps, writeIdMaps } from './ops/id-maps.ts';
import { openNamespace } from './ops/namespace.ts';
import { writePidFile } from './ops/pid-file.ts';
import { runTreeOp } from './ops/trees.ts';
import { type PlanOwner, type RunOptions, recordIn } from './owner.ts';
import { openContainer } from './spawn.ts';

/** What the runtime's ops of one plan share. */
export interface Run {
  readonly owner: PlanOwner;
  readonly options: RunOptions;
  /** Descriptors that init inherits, by the slot's name in the plan. */
  readonly slots: Record<string, number>;
  /** Bytes for init's ops, by the name in the plan. */
  readonly blobs: Record<string, Uint8Array>;
  readonly cgroup: CgroupOps;
  readonly undo: UndoStack;
  /** Pid of the process that runs init's ops; -1 before the clone. */
  pid: number;
  clone(op: CloneOp): void;
  joinResctrl(op: JoinResctrlOp): void;
  noteProcess(): void;
}

/** @throws TsrunError that names the op's place in the config */
type Runner<Name extends RuntimeOp['op']> = (op: Extract<RuntimeOp, { op: Name }>, run: Run) => void;

/** The runner of each runtime op. An op of schemas/ops.json without a runner does not compile. */
const runners: { readonly [Name in RuntimeOp['op']]: Runner<Name> } = {
  'compile-seccomp': (op, { blobs, options }) => {
    const { program, unknown } = filterOf(op.profile, options.filterCache);
    blobs[op.program] = program;
    logUnknownCalls(op.profile, unknown, libseccomp);
  },
  'create-cgroup': (op, { cgroup }) => cgroup.create(op),
  'start-scope': (op, { cgroup, pid }) => cgroup.startScope(op, pid),
  'open-cgroup': (op, { cgroup }) => cgroup.open(op),
  'own-cgroup': (op, { cgroup }) => cgroup.own(op),
  'check-memory-use': (op, { cgroup }) => cgroup.set(op),
  'set-io-weight': (op, { cgroup }) => cgroup.set(op),
  'write-cgroup-file': (op, { cgroup }) => cgroup.set(op),
  'filter-devices': (op, { cgroup }) => cgroup.filterDevices(op),
  'join-resctrl': (op, run) => run.joinResctrl(op),
  'open-container': (op, { slots }) => {
    slots[op.slot] = openContainer(op);
  },
  'open-namespace': (op, { slots }) => {
    slots[op.slot] = openNamespace(op);
  },
  'open-small-mounts': (op, { slots }) => {
    slots[op.slot] = addon().openSmallMounts();
  },
  'open-tree': (op, { slots }) => runTreeOp(op, slots),
  'make-user-namespace': (op, { slots }) => runTreeOp(op, slots),
  'map-tree': (op, { slots }) => runTreeOp(op, slots),
  clone: (op, run) => run.clone(op),
  'write-id-maps': (op, { pid }) => writeIdMaps(op, pid),
  'check-id-maps': (op, { pid }) => checkIdMaps(op, pid),
  'move-net-device': (op, { slots, pid, undo }) => {
    // Closed with the other slots; an open one would keep the namespace alive after the container's end.
    slots['own-network'] ??= openSync(`/proc/${pid}/ns/net`, 'r');
    moveNetDevice(op, slots['own-network'], undo);
  },
  'set-scheduler': (op, { pid }) => setAttribute(op, pid),
  'set-io-priority': (op, { pid }) => setAttribute(op, pid),
  'set-own-cpu-affinity': (op, { pid }) => setAttribute(op, pid),
  'run-hook': (op, { owner }) => runHook(op, owner.state()),
  'record-state': (op, { owner }) => recordIn(owner, { phase: op.status as 'created' }),
  'write-pid-file': (op, { pid, undo }) => undo.push(writePidFile(op.path, pid)),
  'note-process': (_, run) => run.noteProcess(),
};

/** @throws TsrunError that names the op's place in the config */
export function runOp(op: RuntimeOp, run: Run): void {
  const runner = runners[op.op] as (op: RuntimeOp, run: Run) => void;
  try {
    runner(op, run);
  } catch (error) {
    throw aboutProperty(error, op.from);
  }
}
