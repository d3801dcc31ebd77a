/** A container, and what can be done with it. */
import type { Readable, Writable } from 'node:stream';
import { nodeAddon } from '../addon.ts';
import type { StatsEvent } from '../container/events.ts';
import type { PrintedState } from '../container/state.ts';
import { TsrunError } from '../errors.ts';
import type { LinuxResources } from '../generated/spec.ts';
import { parseSignal } from '../linux/signals.ts';
import { checkArgument, checkOptions, may, ownCopy } from './arguments.ts';
import { type ContainerEvent, type EventsOptions, follow } from './events.ts';
import { type ExecOptions, type ExecProcess, execIn } from './exec.ts';
import type { JobArguments, JobName, JobResult } from './jobs.ts';
import { tellLog } from './log.ts';
import {
  type Abortable,
  abortable,
  type CreateOptions,
  createJob,
  createShape,
  type RootOption,
  rootOf,
  rootShape,
  withPreserved,
} from './options.ts';
import type { Child, Place } from './places.ts';
import { runJob } from './pool.ts';
import { type ContainerProcess, type Exit, exitFrom } from './process.ts';
import { openStdio } from './stdio.ts';
import { holdProcess, watchOnce } from './watch.ts';
import { abortError } from './wire.ts';

interface Streams {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

/**
 * A container, found by its name, whatever program has made it. If create() has made it here, this process is its
 * parent.
 */
export class Container {
  readonly id: string;
  /** The directory with its state and that of others. */
  readonly root: string;
  /** Pid of the init process, if create() has made it here. */
  readonly pid: number | undefined;
  /** Set if stdio says `pipe`. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** How init ends, if it is a child of this process. */
  readonly #ended: Promise<Exit> | undefined;

  /** @internal */
  constructor({ root, id }: Place, child?: Child, streams: Streams = { stdin: null, stdout: null, stderr: null }) {
    this.id = id;
    this.root = root;
    this.pid = child?.pid;
    this.stdin = streams.stdin;
    this.stdout = streams.stdout;
    this.stderr = streams.stderr;
    this.stdin?.on('error', () => undefined);
    this.#ended = child && this.#reaped(child.pidfd);
    this.#ended?.catch(() => undefined);
  }

  get #place(): Place {
    return { root: this.root, id: this.id };
  }

  /** Has a worker do it. */
  async #ask<Name extends JobName>(name: Name, args: JobArguments<Name>, options: Abortable): Promise<JobResult<Name>> {
    const { signal } = checkOptions(options, abortable);
    return runJob(name, args, signal);
  }

  /** Reaps init, so that no zombie is left even if nothing waits for it. */
  async #reaped(pidfd: number): Promise<Exit> {
    await new Promise<void>((resolve) => watchOnce(pidfd, resolve));
    return exitFrom(await runJob('finish', { ...this.#place, pidfd, keep: true }));
  }

  /**
   * Lets the program run that create has prepared (runtime.md, Start). Resolves when the program has been executed and
   * the poststart hooks have run. If it is aborted, the container is deleted, because half a start cannot be undone.
   *
   * @throws TsrunError `EWRONGSTATE`, `EPROGRAM`, `EHOOK` (the container is then deleted) or `ABORT_ERR`
   */
  async start(options: Abortable = {}): Promise<this> {
    try {
      await this.#ask('start', this.#place, options);
      return this;
    } catch (error) {
      await this.#reapedIfGone();
      throw error;
    }
  }

  /** Waits until init is reaped, if a start that was aborted, or whose hook failed, has deleted the container. */
  async #reapedIfGone(): Promise<void> {
    const isGone = await this.state().then(
      () => false,
      (error: TsrunError) => error.code === 'ENOTFOUND',
    );
    if (isGone) await this.#ended?.catch(() => undefined);
  }

  /** The state that `tsrun state` prints. @throws TsrunError `ENOTFOUND` */
  state(options: Abortable = {}): Promise<PrintedState> {
    return this.#ask('state', this.#place, options);
  }

  /**
   * Signals the init process, or with `all` every process. SIGKILL always ends them all.
   *
   * @param signal a name, such as `TERM` or `SIGTERM`, or a number
   * @throws TsrunError `EWRONGSTATE` when the container is not running
   */
  async kill(signal: string | number = 'SIGTERM', options: KillOptions = {}): Promise<void> {
    checkArgument('signal', signal, may.textOrNumber);
    const { all = false, signal: giveUp } = checkOptions(options, { all: may.flag, ...abortable });
    await runJob('kill', { ...this.#place, signal: parseSignal(String(signal)), all }, giveUp);
  }

  /** Pauses every process (the cgroup freezer). */
  pause(options: Abortable = {}): Promise<void> {
    return this.#ask('pause', this.#place, options);
  }

  /** Lets a paused container go on. */
  resume(options: Abortable = {}): Promise<void> {
    return this.#ask('resume', this.#place, options);
  }

  /**
   * Changes limits, with effect at once.
   *
   * @param resources as /linux/resources of the config (config-linux.md); whatever it lacks stays as it is
   * @throws TsrunError with nothing changed
   */
  async update(resources: LinuxResources, options: Abortable = {}): Promise<void> {
    checkArgument('resources', resources, may.object);
    await this.#ask('update', { ...this.#place, resources }, options);
  }

  /** What the container uses now, as in `tsrun events --stats`: bytes, nanoseconds. */
  stats(options: Abortable = {}): Promise<StatsEvent['data']> {
    return this.#ask('stats', this.#place, options);
  }

  /** Sorted pids of its processes on the host. */
  ps(options: Abortable = {}): Promise<number[]> {
    return this.#ask('ps', this.#place, options);
  }

  /**
   * Runs one more process in the container, as spawn runs one in its own container.
   *
   * @param process the program and its arguments; or a process like /process of a config, with properties that it lacks
   *   taken from the container's own
   */
  exec(process: ExecProcess, options: ExecOptions = {}): ContainerProcess {
    return execIn(this.#place, process, options);
  }

  /**
   * Yields statistics at an interval, and each out-of-memory kill as it happens; ends with the container's last
   * process.
   */
  events(options: EventsOptions = {}): AsyncGenerator<ContainerEvent, void, void> {
    return follow(this.#place, options);
  }

  /**
   * Waits until the init process has ended, whatever process is its parent.
   *
   * @throws TsrunError when it has, but nothing can tell how
   */
  async wait(options: Abortable = {}): Promise<Exit> {
    const { signal } = checkOptions(options, abortable);
    if (signal?.aborted) throw abortError(signal);
    const release = holdProcess();
    let giveUp: (() => void) | undefined;
    try {
      const aborted = new Promise<never>((_, reject) => {
        giveUp = () => reject(abortError(signal));
        signal?.addEventListener('abort', giveUp, { once: true });
      });
      return await Promise.race([this.#ended ?? this.#foreignEnd(signal), aborted]);
    } finally {
      if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
      release();
    }
  }

  async #foreignEnd(signal: AbortSignal | undefined): Promise<Exit> {
    const pidfd = await runJob('watched', this.#place);
    try {
      if (pidfd !== undefined && signal?.aborted !== true) await endOf(pidfd, signal);
      // A job that waits for the end would keep its worker, and nobody asks any more.
      if (signal?.aborted) throw abortError(signal);
      const exit = await runJob('ended', { ...this.#place, pidfd });
      if (exit !== undefined) return exitFrom(exit);
      throw new TsrunError('the container has ended, but its exit status is unknown', {
        hint: 'wait before the container ends, or use Linux 6.15 or later',
      });
    } finally {
      if (pidfd !== undefined) nodeAddon().close(pidfd);
    }
  }

  /**
   * Undoes create (runtime.md, Delete). A created container is killed first, a running one only with `force`. An abort
   * ends its waits: for another command's work on the container, or for a poststop hook, which is then killed.
   *
   * @throws TsrunError `EWRONGSTATE` when it runs, `ENOTFOUND` when it does not exist; neither with `force`
   */
  async delete(options: DeleteOptions = {}): Promise<void> {
    const { force = false, signal } = checkOptions(options, { force: may.flag, ...abortable });
    const release = holdProcess();
    try {
      await runJob('delete', { ...this.#place, force }, signal);
      await this.#ended?.catch(() => undefined);
    } finally {
      release();
    }
  }

  /** Kills and deletes the container. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.delete({ force: true });
  }
}

export interface KillOptions extends Abortable {
  /** Signals every process of the container. */
  readonly all?: boolean | undefined;
}

export interface DeleteOptions extends Abortable {
  /** Kills a running container first; an absent one is then no error. */
  readonly force?: boolean | undefined;
}

/** Waits for a process's end; returns early when `signal` is aborted. */
function endOf(pidfd: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const stop = watchOnce(pidfd, done);
    signal?.addEventListener('abort', done, { once: true });
    function done() {
      signal?.removeEventListener('abort', done);
      stop();
      resolve();
    }
  });
}

/**
 * Makes everything up to the container's program (runtime.md, Create), or nothing at all.
 *
 * @throws TsrunError `EINVALIDSPEC` with `findings`, `EEXIST`, `ENOCONTROLLER`, `EHOOK`, `ABORT_ERR`, …
 */
export async function create(given: CreateOptions): Promise<Container> {
  const options = checkOptions(given, createShape);
  const root = rootOf(options);
  const stdio = openStdio(withPreserved(options.stdio, options.preserveFds), 'inherit');
  try {
    const job = createJob(options, root, stdio.descriptors);
    const child = await runJob('create', job, options.signal);
    const container = new Container({ root, id: job.lowering.id }, child, stdio);
    if (options.signal?.aborted !== true) return container;
    await container.delete({ force: true });
    throw abortError(options.signal);
  } catch (error) {
    stdio.discard();
    throw error;
  } finally {
    stdio.closeTheirs();
  }
}

/**
 * Opens an existing container, whatever program has made it.
 *
 * @throws TsrunError `ENOTFOUND`
 */
export async function open(id: string, options: RootOption & Abortable = {}): Promise<Container> {
  checkArgument('id', id, may.text);
  const { root, signal } = placeOf(options);
  const place = { root, id };
  await runJob('state', place, signal);
  return new Container(place);
}

/**
 * The states of all containers, sorted by name. A container whose state cannot be read is reported to onLog's function.
 */
export async function list(options: RootOption & Abortable = {}): Promise<readonly PrintedState[]> {
  const { root, signal } = placeOf(options);
  const { states, failures } = await runJob('list', { root }, signal);
  for (const failure of failures) tellLog('error', failure);
  return states;
}

/** The options of spawn say the place, too, and may be passed on whole. */
function placeOf(options: RootOption & Abortable): { root: string; signal: AbortSignal | undefined } {
  const { root, signal } = ownCopy(options, 'options');
  const checked = checkOptions({ root, signal }, rootShape);
  return { root: rootOf(checked), signal: checked.signal };
}
