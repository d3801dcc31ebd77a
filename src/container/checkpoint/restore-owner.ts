import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../../addon.ts';
import { TsrunError } from '../../errors.ts';
import type { JoinResctrlOp, RuntimeOp } from '../../generated/ops.ts';
import type { Spec, State } from '../../generated/spec.ts';
import { sendDescriptor } from '../../host/descriptor-sockets.ts';
import { identityOf, processStat } from '../../host/processes.ts';
import { isRuntimeOp, type Plan } from '../../plan/plan.ts';
import { joinGroup } from '../../resctrl/group.ts';
import { withResctrlLock } from '../../resctrl/lock.ts';
import { CgroupOps } from '../../run/ops/cgroup.ts';
import type { Made, PlanOwner, RunOptions } from '../../run/owner.ts';
import { type Run, runOp } from '../../run/runners.ts';
import type { UndoStack } from '../../undo.ts';
import { type Created, firstRecord } from '../create.ts';
import type { ContainerRecord } from '../record.ts';
import { hookState } from '../state.ts';
import type { ContainerDirectory } from '../store.ts';
import { writeSysctls } from './config-attributes.ts';

export interface RestoreOwnerRequest {
  readonly id: string;
  readonly bundle: string;
  readonly spec: Spec;
  readonly plan: Plan;
  /** Whether the command stays until the container ends. */
  readonly isForeground: boolean;
  readonly hosted?: true;
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
}

type Moment = 'cgroup' | 'namespaces' | 'processes' | 'never';

/**
 * When each op of create's plan runs: before CRIU makes a process, because that process starts in the cgroup; when the
 * namespaces are there and empty; or when all processes are there and none runs yet. Until then CRIU must be able to
 * fork in the cgroup, make devices, and use memory of its own. An op whose result the images hold never runs.
 */
const moments: { readonly [Name in RuntimeOp['op']]: Moment } = {
  'create-cgroup': 'cgroup',
  'start-scope': 'cgroup',
  'own-cgroup': 'cgroup',
  // CRIU's processes inherit these; afterwards only init's first thread would get them.
  'join-resctrl': 'cgroup',
  'set-io-priority': 'cgroup',
  'run-hook': 'namespaces',
  'check-memory-use': 'processes',
  'set-io-weight': 'processes',
  'write-cgroup-file': 'processes',
  'filter-devices': 'processes',
  'record-state': 'processes',
  'write-pid-file': 'processes',
  'compile-seccomp': 'never',
  'open-namespace': 'never',
  'open-small-mounts': 'never',
  'open-tree': 'never',
  'make-user-namespace': 'never',
  'map-tree': 'never',
  'open-cgroup': 'never',
  'open-container': 'never',
  clone: 'never',
  'write-id-maps': 'never',
  'check-id-maps': 'never',
  'move-net-device': 'never',
  'set-own-cpu-affinity': 'never',
  'set-scheduler': 'never',
  'note-process': 'never',
};

/** In milliseconds: how long CRIU may take to answer when init has ended already. */
const patience = 10_000;

/** The runtime's part of a restore: those ops of create's plan whose result no image of CRIU's can hold. */
export class RestoreOwner implements PlanOwner, Run {
  readonly owner = this;
  readonly options: RunOptions;
  readonly slots: Record<string, number> = {};
  readonly blobs: Record<string, Uint8Array> = {};
  readonly cgroup: CgroupOps;
  readonly undo: UndoStack;
  pid = -1;
  container: ContainerRecord;
  readonly #request: RestoreOwnerRequest;
  readonly #directory: ContainerDirectory;
  #pidfd = -1;
  #terminal = -1;
  /** When init was first seen to have ended. */
  #endSeen: number | undefined;

  constructor(request: RestoreOwnerRequest, directory: ContainerDirectory, undo: UndoStack) {
    const { consoleSocket, pidfdSocket } = request;
    const none = { preserveFds: 0, starts: false, filterCache: '', agent: null };
    this.options = { ...none, consoleSocket, pidfdSocket, initType: 'standard' };
    this.#request = request;
    this.#directory = directory;
    this.undo = undo;
    this.container = firstRecord(request);
    this.cgroup = new CgroupOps(this, undo, request.plan.ops);
  }

  /** @param criu the process that becomes the parent of the container's processes */
  makeCgroup(criu: number): void {
    this.pid = criu;
    this.#run('cgroup');
    const { path } = this.cgroup;
    if (path !== '') writeFileSync(join(path, 'cgroup.procs'), String(criu));
  }

  /** Handles what CRIU reports on its way (criu(8), --action-script). */
  told(script: string, pid: number, fd: number): void {
    if (script === 'orphan-pts-master') this.#takeTerminal(fd);
    // The namespaces exist and are still empty: now it is the network engines' turn.
    if (script === 'setup-namespaces') {
      this.started(pid, addon().pidfdOpen(pid));
      this.#run('namespaces');
      // After the hooks, whose network devices have parameters, too.
      writeSysctls(this.#request.plan, this.#pidfd, 'before sockets');
    }
    if (script === 'post-restore') {
      if (this.#pidfd < 0) this.started(pid, addon().pidfdOpen(pid));
      // From here on the container counts as running, and signals are for it.
      if (this.#request.isForeground) addon().holdSignals();
      this.#run('processes');
      writeSysctls(this.#request.plan, this.#pidfd, 'at the end');
      const { pidfdSocket } = this.options;
      if (pidfdSocket !== undefined) sendDescriptor(pidfdSocket, 'standard', this.#pidfd, '--pidfd-socket');
    }
  }

  /**
   * Whether init has ended, and CRIU has not answered for long since. If it fails when the processes exist, as when lazy
   * pages do not come, it kills them and then waits for ever for one with threads (CRIU 4.2.1): it traces these threads
   * itself. Init is then a zombie, or waits for such a process.
   */
  isStuck(): boolean {
    if (this.#pidfd < 0 || processStat(this.pid)?.isEnding === false) return false;
    this.#endSeen ??= Date.now();
    return Date.now() - this.#endSeen > patience;
  }

  finish(): Omit<Created, 'source'> {
    this.cgroup.close();
    const { container: record } = this;
    return { directory: this.#directory, record, pidfd: this.#pidfd, terminal: this.#terminal, socket: -1 };
  }

  #run(moment: Moment): void {
    for (const op of this.#request.plan.ops) if (isRuntimeOp(op) && moments[op.op] === moment) runOp(op, this);
  }

  started(pid: number, pidfd: number): void {
    this.pid = pid;
    this.#pidfd = pidfd;
    this.container = { ...this.container, init: identityOf(pid, pidfd) };
    this.#directory.write(this.container);
  }

  state(): State {
    return hookState(this.container, 'creating');
  }

  record(made: Made): void {
    this.container = { ...this.container, ...made };
    if (made.phase === 'created') this.#directory.writeRemains(this.container);
    this.#directory.write(this.container);
  }

  clone(): never {
    throw new Error('CRIU makes the processes');
  }

  noteProcess(): never {
    throw new Error('only exec has its process noted');
  }

  joinResctrl(op: JoinResctrlOp): void {
    withResctrlLock(op.mount, () => joinGroup(op, this.pid, (resctrl) => this.record({ resctrl })));
  }

  #takeTerminal(fd: number): void {
    if (fd < 0) throw new TsrunError('CRIU hands the terminal over without a descriptor');
    const { consoleSocket } = this.options;
    if (consoleSocket === undefined) this.#terminal = addon().duplicate(fd);
    else sendDescriptor(consoleSocket, 'orphan-pts-master', fd, '--console-socket');
  }
}
