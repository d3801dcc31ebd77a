import { addon, type ExitStatus } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { TsrunError } from '../errors.ts';
import type { CloneOp, JoinResctrlOp, Op, RuntimeOp } from '../generated/ops.ts';
import { sendDescriptor } from '../host/descriptor-sockets.ts';
import { processStat } from '../host/processes.ts';
import { isRuntimeOp, type Plan } from '../plan/plan.ts';
import { joinGroup, removeGroups } from '../resctrl/group.ts';
import { withResctrlLock } from '../resctrl/lock.ts';
import { handListenerOver } from '../seccomp/listener.ts';
import type { UndoStack } from '../undo.ts';
import { converse } from './conversation.ts';
import { describeFailure, killedHint } from './failures/failure.ts';
import { type InitMessage, messageType, receiveFromInit, sendContinue } from './message.ts';
import { CgroupOps } from './ops/cgroup.ts';
import { runtimeEnv } from './ops/hook.ts';
import { type PlanOwner, type RunOptions, recordIn, type Started } from './owner.ts';
import { type Run, runOp } from './runners.ts';
import { awaitInit, startInit } from './spawn.ts';
import { type Trace, traceOf } from './trace.ts';
import { unreportedFailure } from './unreported.ts';

/** How long init may take to fork. It needs some milliseconds; in a frozen cgroup it never gets there. */
const forkTimeoutMs = 500;

/**
 * Runs a plan: the runtime's ops here, init's ops in the child, each in its turn. Everything it makes goes on the undo
 * stack, which the caller runs when this throws.
 */
export class Executor implements Run {
  private readonly plan: Plan;
  readonly owner: PlanOwner;
  readonly undo: UndoStack;
  readonly options: RunOptions;
  private readonly trace: Trace | undefined;
  /** Descriptors that init inherits, by the slot's name in the plan. */
  readonly slots: Record<string, number> = {};
  /** Bytes for init's ops, by the name in the plan. */
  readonly blobs: Record<string, Uint8Array> = {};
  readonly cgroup: CgroupOps;
  private socket = -1;
  /** Pid of the process that runs init's ops; -1 before the clone. */
  pid = -1;
  /** Indices of ops that come before the clone but can run while it is under way: those that the plan's bytes need. */
  private readonly beforeWriting: number[] = [];
  /** The others. */
  private readonly besideClone: number[] = [];
  /** Index of the first op that the runtime's turns have not reached. */
  private nextOp = 0;
  private resctrlGroups: readonly string[] = [];
  private pidfd = -1;
  /** Whether init runs, will go on in a child, and has not reported that child yet. */
  private awaitsFork = false;
  private terminal = -1;

  constructor(plan: Plan, owner: PlanOwner, undo: UndoStack, options: RunOptions) {
    this.plan = plan;
    this.owner = owner;
    this.undo = undo;
    this.options = options;
    this.cgroup = new CgroupOps(owner, undo, plan.ops);
    this.trace = traceOf(plan.ops);
  }

  /** @throws TsrunError for the first op that fails, with its place in the config */
  run(): Started {
    // Undone last, because init may report until its end. This process may live on and create other containers.
    this.undo.push(() => this.close());
    // Undone after init's end: a group can be removed only when no process is in it.
    this.undo.push(() => removeGroups(this.resctrlGroups));
    this.nextOp = this.runtimeOps(0);
    this.converse();
    const { pid, pidfd, terminal } = this;
    const socket = this.options.starts ? this.socket : -1;
    this.close({ keep: [terminal, socket] });
    return { pid, pidfd, terminal, socket };
  }

  /**
   * Closes what this process holds for the plan. If a later step fails, a second call closes what the first one kept.
   */
  private close({ keep = [] }: { keep?: readonly number[] } = {}): void {
    for (const fd of [this.socket, this.terminal, ...Object.values(this.slots)]) {
      if (fd >= 0 && !keep.includes(fd)) closeQuietly(fd);
    }
    for (const slot of Object.keys(this.slots)) delete this.slots[slot];
    if (!keep.includes(this.socket)) this.socket = -1;
    if (!keep.includes(this.terminal)) this.terminal = -1;
    this.cgroup.close();
  }

  /** Runs the runtime's ops from `index` up to init's next op. @returns the index of that op */
  private runtimeOps(index: number): number {
    let at = index;
    for (let op = this.plan.ops[at]; op !== undefined && isRuntimeOp(op); op = this.plan.ops[++at]) {
      if (op.op === 'compile-seccomp' && this.pid < 0) this.beforeWriting.push(at);
      else if (op.op === 'filter-devices' && this.pid < 0) this.besideClone.push(at);
      else this.traced(at, op);
    }
    return at;
  }

  private traced(index: number, op: RuntimeOp): void {
    this.trace?.began(index);
    runOp(op, this);
    this.trace?.ended(index);
  }

  joinResctrl(op: JoinResctrlOp): void {
    withResctrlLock(op.mount, () => {
      joinGroup(op, this.pid, (directories) => {
        this.resctrlGroups = directories;
        recordIn(this.owner, { resctrl: directories });
      });
    });
  }

  noteProcess(): void {
    const { pid, pidfd, terminal } = this;
    this.options.noteProcess?.({ pid, pidfd, terminal });
  }

  clone(op: CloneOp): void {
    const [ours, theirs] = addon().socketPair();
    this.socket = ours;
    const plan = addon().memfd('tsrun-plan', 0);
    const options = {
      flags: Number(op.flags),
      cgroupFd: this.cgroup.fd,
      syncFd: theirs,
      planFd: plan,
      inherit: [
        theirs,
        plan,
        ...Object.values(this.slots).filter((fd) => fd >= 0),
        ...(this.trace ? [this.trace.fd] : []),
      ],
      preserveFds: this.options.preserveFds,
      descriptors: this.options.descriptors ?? [],
    };
    let failure: ReturnType<typeof caught>;
    try {
      startInit(op, options);
      failure = caught(() => this.whileCloning(plan));
      const init = awaitInit(op, this.cgroup, options);
      this.pid = init.pid;
      this.pidfd = init.pidfd;
    } finally {
      closeQuietly(theirs);
      closeQuietly(plan);
    }
    this.undo.push(() => this.endInit());
    if (failure !== undefined) throw failure.error;
    sendContinue(this.socket);
    this.awaitsFork = this.plan.ops.some(({ op }) => op === 'fork-child');
    // Otherwise the process that counts is the child that it forks.
    if (!this.awaitsFork) this.started(this.pid, this.pidfd);
  }

  /**
   * Does what init's first message does not depend on, in the time that the kernel needs to make the process and
   * namespaces.
   */
  private whileCloning(plan: number): void {
    for (const index of this.beforeWriting) this.traced(index, this.plan.ops[index] as RuntimeOp);
    addon().writePlan(plan, this.plan.ops.map(withRuntimeEnv), this.slots, this.blobs, this.trace?.fd ?? -1);
    for (const index of this.besideClone) this.traced(index, this.plan.ops[index] as RuntimeOp);
  }

  /**
   * Called when init has gone on in a child, which is our child too; the first process has ended. A process that may
   * trace init could name some other process here, to have it killed after a failure.
   */
  private forked(message: InitMessage): void {
    this.takeChild(message);
    this.started(this.pid, this.pidfd);
  }

  private takeChild({ opIndex, value: pid }: InitMessage): void {
    if (this.plan.ops[opIndex]?.op !== 'fork-child') throw new Error(`init has forked in op ${opIndex}`);
    const pidfd = addon().pidfdOpen(pid);
    if (!addon().isChild(pidfd)) {
      closeQuietly(pidfd);
      throw new Error(`init says that it went on as process ${pid}, which is not its child`);
    }
    this.reapInit();
    this.pid = pid;
    this.pidfd = pidfd;
    this.awaitsFork = false;
  }

  private started(pid: number, pidfd: number): void {
    this.owner.started(pid, pidfd);
    const { pidfdSocket, initType } = this.options;
    if (pidfdSocket !== undefined) sendDescriptor(pidfdSocket, initType, pidfd, '--pidfd-socket');
  }

  /** @param name the name of the terminal's slave inside the container */
  private takeTerminal(fd: number, name: string): void {
    const { consoleSocket } = this.options;
    if (consoleSocket === undefined) {
      this.terminal = fd;
      return;
    }
    sendDescriptor(consoleSocket, name, fd, '--console-socket');
    closeQuietly(fd);
  }

  private handListenerOver(fd: number): void {
    const { agent } = this.options;
    if (agent === null) throw new Error('a listener that nobody asked for');
    handListenerOver(agent, fd, this.pid, this.owner.state());
  }

  /**
   * Answers init until its part of the plan is done. In a create that is the last sync, after which init waits for
   * start; otherwise it is the execve that closes its end of the socket.
   */
  private converse(): void {
    const waits = this.plan.ops.some(({ op }) => op === 'wait-start');
    const lastSync = this.plan.ops.findLastIndex(isRuntimeOp);
    const ending = converse(this.socket, {
      opOf: (index) => this.opOf(index),
      turn: (index) => this.sync(index) && waits && this.lastSegment(index, lastSync),
      forked: (message) => this.forked(message),
      terminal: (fd, name) => this.takeTerminal(fd, name),
      listener: (fd) => this.handListenerOver(fd),
    });
    if (ending.how === 'failed') throw describeFailure(ending.op, ending.message, this.plan.ops);
    if (ending.how === 'waiting') return;
    const failure = ending.atExecve ? unreportedFailure({ pid: this.pid }, this.plan.ops) : this.initDied();
    if (failure !== undefined) throw failure;
  }

  /** Takes one turn of the runtime; each comes once, in the plan's order. @returns whether init goes on */
  private sync(index: number): boolean {
    const isTurn = index >= this.nextOp && this.plan.ops[index]?.by === 'runtime';
    if (!isTurn) throw new Error(`init gives the turn to op ${index}, and not to one from ${this.nextOp} on`);
    try {
      this.nextOp = this.runtimeOps(index);
    } catch (error) {
      // Init waits for us, so if it has ended, something killed it. Each op would report a different consequence.
      throw this.hasInitEnded() ? this.initDied() : error;
    }
    return sendContinue(this.socket);
  }

  /** False where this cannot be found out; the original error then stands. */
  private hasInitEnded(): boolean {
    try {
      return processStat(this.pid)?.isEnding ?? addon().pidfdWait(this.pidfd, 0);
    } catch {
      return false;
    }
  }

  /** Whether no runtime op is left after the segment that starts at `index`. */
  private lastSegment(index: number, lastRuntimeOp: number): boolean {
    return this.plan.ops.slice(index, lastRuntimeOp + 1).every(isRuntimeOp);
  }

  /** Init may only report on its own ops. */
  private opOf(index: number): Op {
    const op = this.plan.ops[index];
    if (op?.by !== 'init') throw new Error(`init speaks of op ${index}, which is not its own`);
    return op;
  }

  private endInit(): void {
    if (this.pidfd < 0) return;
    if (this.awaitsFork && this.options.hosted) this.awaitFork();
    addon().pidfdSignal(this.pidfd, 9);
    this.reapInit();
  }

  /**
   * Waits for init to name its child. An unreported child ends by itself, but stays a zombie as long as this process
   * lives.
   */
  private awaitFork(): void {
    if (!addon().pidfdWait(this.socket, forkTimeoutMs)) return;
    const message = receiveFromInit(this.socket);
    if (message?.type === messageType.pid) this.takeChild(message);
  }

  private reapInit(): ExitStatus {
    const status = addon().reap(this.pidfd);
    closeQuietly(this.pidfd);
    this.pidfd = -1;
    return status;
  }

  private initDied(): TsrunError {
    // Init has closed its end of the socket and is about to end; killing it does not change how. If only the socket
    // failed, init would wait for us, and we for it.
    addon().pidfdSignal(this.pidfd, 9);
    const { code, signal } = this.reapInit();
    const how = signal === undefined ? `exited with status ${code}` : `was killed by signal ${signal}`;
    return new TsrunError(`the container's init ${how} while it was being set up`, {
      hint: signal === undefined ? undefined : killedHint(signal),
    });
  }
}

/** Gives a hook that init runs with a program of the runtime's the runtime's environment, which is in no plan. */
function withRuntimeEnv(op: Op): Op {
  return op.op === 'run-container-hook' && op.inherits === 'runtime' ? { ...op, env: runtimeEnv() } : op;
}

/** What an action throws; undefined when it does not throw. */
function caught(action: () => void): { error: unknown } | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return { error };
  }
}
