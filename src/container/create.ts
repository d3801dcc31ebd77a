import { ftruncateSync } from 'node:fs';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { withPlace } from '../config/locate.ts';
import type { SpecSource } from '../config/validate/places.ts';
import type { Op } from '../generated/ops.ts';
import type { Spec, State } from '../generated/spec.ts';
import { identityOf, innermostPid, ownIdentity } from '../host/processes.ts';
import { formatDeviceRule } from '../linux/device-rules.ts';
import { log } from '../log.ts';
import { rootfsPath } from '../lower/mounts/rootfs-path.ts';
import type { Plan } from '../plan/plan.ts';
import { Executor } from '../run/executor.ts';
import type { Made, PlanOwner, RunOptions } from '../run/owner.ts';
import { listenerOf } from '../seccomp/listener.ts';
import { isThere, readIfThere } from '../there.ts';
import { UndoStack } from '../undo.ts';
import { writeWhole } from '../write.ts';
import { demandNoInterrupt, orInterrupt } from './interrupts.ts';
import { makeNotifyDirectory } from './notify.ts';
import { runPoststopHooks } from './poststop.ts';
import type { ContainerRecord } from './record.ts';
import { filterCacheDirectory } from './root.ts';
import { hookState } from './state.ts';
import { ContainerDirectory, execSocket } from './store.ts';

export interface CreateRequest {
  root: string;
  id: string;
  bundle: string;
  spec: Spec;
  /** config.json as it was read. */
  source: SpecSource;
  plan: Plan;
  preserveFds: number;
  /** The container's descriptors 0, 1, 2 and from 3 on; absent: it gets this process's own. */
  descriptors?: readonly number[];
  /** Set when this process is a program that uses the library. */
  hosted?: true;
  /** Sockets that get the terminal's master and a pidfd of the init process. */
  consoleSocket: string | undefined;
  pidfdSocket: string | undefined;
  /** Whether start makes a socket for sd_notify. */
  notify: boolean;
  /** Whether this command also starts the container. */
  starts: boolean;
}

export interface Created {
  directory: ContainerDirectory;
  record: ContainerRecord;
  /** A pidfd of the init process, which is this process's child. */
  pidfd: number;
  /** Master of the container's terminal; -1 without a terminal, or when a console socket got it. */
  terminal: number;
  source: SpecSource;
  /** Socket to init, which waits for this command to start it; -1 when init waits for `start`. */
  socket: number;
}

/**
 * runtime.md, Create: does the whole lifecycle up to the user's program, or nothing at all. On return SIGHUP, SIGINT
 * and SIGTERM are still held back until the caller decides about them.
 */
export function createContainer(request: CreateRequest): Created {
  const directory = new ContainerDirectory(request.root, request.id);
  const undo = new UndoStack();
  const creation = new Creation(request, directory, undo);
  addon().catchInterrupts();
  const lock = directory.reserve();
  undo.push(() => directory.remove());
  try {
    const created = creation.run();
    demandNoInterrupt();
    undo.forget();
    return created;
  } catch (error) {
    addon().settleInterrupts(false);
    for (const failure of undo.run()) log('error', `while cleaning up: ${failure}`);
    runPoststopHooks(creation.container, () => request.source);
    throw orInterrupt(withPlace(error, request.source));
  } finally {
    closeQuietly(lock);
  }
}

/** Keeps the container's record, and the state for hooks that init runs, while the plan makes the container. */
class Creation implements PlanOwner {
  private readonly request: CreateRequest;
  private readonly directory: ContainerDirectory;
  private readonly undo: UndoStack;
  container: ContainerRecord;
  private pidfd = -1;
  /** Holds the state for hooks that init runs; -1 without such hooks. */
  private stateFd = -1;

  constructor(request: CreateRequest, directory: ContainerDirectory, undo: UndoStack) {
    this.request = request;
    this.directory = directory;
    this.undo = undo;
    this.container = firstRecord(request);
  }

  run(): Created {
    const { directory, request } = this;
    directory.writeConfig(request.source.text);
    this.write();
    if (request.notify) makeNotifyDirectory(directory);
    // No agent: start loads the filter, and hands its listener over.
    const options: RunOptions = {
      ...request,
      initType: 'standard',
      filterCache: filterCacheDirectory(request.root),
      agent: null,
    };
    const executor = new Executor(request.plan, this, this.undo, options);
    executor.slots['exec-socket'] = request.starts ? -1 : addon().listen(directory.path, execSocket);
    if (request.plan.ops.some(({ op }) => op === 'run-container-hook')) {
      this.stateFd = addon().memfd('tsrun-state', 0);
      executor.slots.state = this.stateFd;
    }
    const { pidfd, terminal, socket } = executor.run();
    return { directory, record: this.container, pidfd, terminal, source: request.source, socket };
  }

  started(pid: number, pidfd: number): void {
    this.pidfd = pidfd;
    this.container = { ...this.container, init: identityOf(pid, pidfd) };
    // Without hooks nobody asks for the pid until the container is created, which is soon.
    if (this.request.plan.ops.some(runsHook)) this.write();
    this.publishState('creating');
  }

  state(): State {
    return hookState(this.container, 'creating');
  }

  record(made: Made): void {
    this.container = { ...this.container, ...made };
    if (made.phase === 'created') this.directory.writeRemains(this.container);
    this.write();
    if (made.phase === 'created') this.publishState('created');
  }

  private write(): void {
    const { container, request } = this;
    // A command that starts the container itself needs no startOps: no other command can start it.
    this.directory.write(request.starts ? { ...container, startOps: {} } : container);
  }

  /** Writes the state for hooks that init runs; they see the pid as the container does (runtime.md, State). */
  private publishState(status: 'creating' | 'created'): void {
    if (this.stateFd < 0) return;
    const state = hookState(this.container, status);
    const text = JSON.stringify({ ...state, pid: innermostPid(state.pid ?? 0, this.pidfd) });
    ftruncateSync(this.stateFd, 0);
    writeWhole(this.stateFd, text, 0);
  }
}

/** The container's record before any part of the container exists. */
export function firstRecord({
  id,
  bundle,
  spec,
  plan,
  hosted,
}: Pick<CreateRequest, 'id' | 'bundle' | 'spec' | 'plan' | 'hosted'>): ContainerRecord {
  const cgroup = plan.ops.find((op) => op.op === 'create-cgroup');
  const filter = plan.ops.find((op) => op.op === 'filter-devices');
  return {
    version: 1,
    id,
    ociVersion: spec.ociVersion,
    bundle,
    rootfs: rootfsPath({ spec, options: { id, bundle } }),
    created: new Date().toISOString(),
    owner: ownerName(),
    annotations: spec.annotations ?? {},
    phase: 'creating',
    creator: ownIdentity(),
    ...(hosted && { hosted }),
    ...(plan.ops.some((op) => op.op === 'wait-start' && op.again) && { waitsAgain: true }),
    cgroup: cgroup?.path ?? null,
    ...(cgroup && isThere(cgroup.path) && { foreignCgroup: true }),
    ...(filter && { devices: filter.rules.map(formatDeviceRule) }),
    ownPids: (spec.linux?.namespaces ?? []).some(({ type, path }) => type === 'pid' && !path),
    hooks: { poststart: spec.hooks?.poststart ?? [], poststop: spec.hooks?.poststop ?? [] },
    seccompListener: listenerOf(spec.linux?.seccomp, bundle),
    startOps: opsAfterStart(plan.ops),
  };
}

function runsHook({ op }: Op): boolean {
  return op === 'run-hook' || op === 'run-container-hook';
}

function opsAfterStart(ops: readonly Op[]): Record<string, Op> {
  const later: Record<string, Op> = {};
  // Backwards, because the ops before start are many times as many.
  for (let index = ops.length - 1; index >= 0; index--) {
    const op = ops[index] as Op;
    if (op.op === 'wait-start') break;
    // The program's environment may hold secrets, and no message needs it.
    later[index] = 'env' in op ? { ...op, env: [] } : op;
  }
  return later;
}

/** Reads passwd(5) itself, as the answer of os.userInfo() depends on the engine. */
function ownerName(): string {
  const uid = String(process.geteuid?.() ?? 0);
  return nameIn(readIfThere('/etc/passwd') ?? '', uid) ?? uid;
}

/** The file may have thousands of lines, so only lines with the number in some field are split. */
function nameIn(passwd: string, uid: string): string | undefined {
  const field = `:${uid}:`;
  for (let at = passwd.indexOf(field); at >= 0; at = passwd.indexOf(field, at + 1)) {
    const before = passwd.slice(passwd.lastIndexOf('\n', at) + 1, at).split(':');
    if (before.length === 2) return before[0];
  }
  return undefined;
}
