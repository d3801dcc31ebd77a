/** The jobs of workers: the functions that the commands call, with plain values as arguments and results. */
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { addon, type ExitStatus, nodeAddon } from '../addon.ts';
import { readMetrics } from '../cgroup/metrics.ts';
import { checkBundle, checkConfig, type Report } from '../check/check.ts';
import { hostProbe } from '../check/probe.ts';
import { closeQuietly } from '../close.ts';
import { loadConfig } from '../config/load.ts';
import { parseSpecText } from '../config/read/parse.ts';
import type { BundleConfig } from '../config/read/read.ts';
import { type CheckpointRequest, saveContainer } from '../container/checkpoint/checkpoint.ts';
import type { CriuFlags } from '../container/checkpoint/options.ts';
import { restoreContainer } from '../container/checkpoint/restore.ts';
import type { Created } from '../container/create.ts';
import { deleteContainer, deleteFailed } from '../container/delete.ts';
import { isPopulated, observe, oomKills, type StatsEvent, statsEvent } from '../container/events.ts';
import { exitStatus, waitForExit } from '../container/exit.ts';
import { demandNoInterrupt, orInterrupt } from '../container/interrupts.ts';
import { killContainer } from '../container/kill.ts';
import { killAll } from '../container/kill-all.ts';
import { listContainers } from '../container/list.ts';
import { placeIn } from '../container/log-findings.ts';
import { makeContainer } from '../container/make.ts';
import { wasOomKilled } from '../container/oom.ts';
import { pauseContainer, resumeContainer } from '../container/pause.ts';
import { prepare, prepareLoaded } from '../container/prepare.ts';
import { containerPids } from '../container/ps.ts';
import type { ContainerExit } from '../container/record.ts';
import { mountRootfs, type RootfsMount, unmountRootfs } from '../container/rootfs-mounts.ts';
import { recordExit } from '../container/run.ts';
import { offerAgain, runPoststartHooks, startContainer, startCreated } from '../container/start.ts';
import { type PrintedState, printedState } from '../container/state.ts';
import { ContainerDirectory } from '../container/store.ts';
import { updateContainer } from '../container/update.ts';
import { features } from '../features/features.ts';
import type { Features, LinuxResources, Spec } from '../generated/spec.ts';
import { gatherHostFacts } from '../host/facts.ts';
import { isAlive } from '../host/processes.ts';
import { SIGKILL } from '../linux/signals.ts';
import { logError } from '../log.ts';
import type { LowerOptions } from '../lower/context.ts';
import type { Plan } from '../plan/plan.ts';
import { libseccompVersion } from '../seccomp/compile.ts';
import { type SandboxChoices, sandboxSpec } from '../template/sandbox.ts';
import { configured, type SpecChoices } from '../template/template.ts';
import { type ExecJob, execFrom } from './exec-job.ts';
import { collectGarbage } from './garbage.ts';
import type { Child, Identity, Place } from './places.ts';
import { demandKnown, jsonText } from './plain-values.ts';

/** What create, plan and check work on: a bundle, or a config that comes with the call. */
export interface Subject {
  readonly lowering: LowerOptions & { readonly preserveFds: number };
  /** Used instead of the bundle's config.json. */
  readonly spec: Spec | undefined;
}

export interface CreateJob extends Subject {
  readonly root: string;
  /** Mounts its root filesystem first, which stays mounted if the rest fails. */
  readonly rootfs?: readonly RootfsMount[];
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  readonly descriptors: readonly number[];
  /** Whether the caller takes the terminal's master itself. */
  readonly holdsTerminal?: boolean;
}

export interface SpawnJob extends Place {
  readonly choices: SandboxChoices;
  readonly descriptors: readonly number[];
  /** Whether it may outlive this process. */
  readonly detached: boolean;
}

export interface RestoreJob extends CriuFlags {
  readonly root: string;
  readonly lowering: LowerOptions;
  readonly descriptors: readonly number[];
}

/** What events() sees when it looks at a container. */
export interface Look {
  readonly kills: number;
  readonly stats: StatsEvent['data'] | undefined;
  /** Set when its last process has ended. */
  readonly ended?: { readonly oomKilled: boolean };
}

const directoryOf = ({ root, id }: Place) => new ContainerDirectory(root, id);

/** A config that comes with the call has no file; places refer to its own text. */
function loadedFrom({ spec }: Subject) {
  return spec && loadConfig(sourceFrom(spec));
}

function sourceFrom(spec: Spec): BundleConfig {
  const text = jsonText(spec, 'spec');
  return { text, path: 'spec', value: parseSpecText(text, 'spec') };
}

/** @param starts whether this job also starts it */
function makeFrom(job: CreateJob, starts: boolean): Created {
  const { root, lowering, consoleSocket, pidfdSocket, descriptors, holdsTerminal = false } = job;
  const given = { root, starts, consoleSocket, pidfdSocket, descriptors, hosted: true } as const;
  return makeContainer({ ...given, lowering, config: loadedFrom(job), tty: false, detached: !holdsTerminal });
}

function childOf({ record, pidfd, terminal }: Created): Child {
  const { init, cgroup } = record;
  return {
    pid: init?.pid ?? 0,
    pidfd,
    ...(terminal >= 0 && { terminal }),
    ...(init && { identity: init }),
    ...(cgroup !== null && { cgroup }),
  };
}

/** Reaps a process that has ended. */
function reap(pidfd: number): ExitStatus {
  try {
    return addon().reap(pidfd);
  } finally {
    closeSync(pidfd);
  }
}

/** Kills what is left of a container whose init has ended. With a pid namespace of its own that is nothing. */
function killOthers(directory: ContainerDirectory): void {
  try {
    if (directory.readIfThere()?.ownPids === false) killContainer(directory, SIGKILL);
  } catch {
    // Nothing is left, or the container is being deleted.
  }
}

/** The status is known to this process alone: it is told even if it cannot be written. */
function recordedExit(directory: ContainerDirectory, status: ExitStatus): ContainerExit {
  try {
    return recordExit(directory, status) ?? status;
  } catch (error) {
    logError('error', error);
    return status;
  }
}

/** In this order: once a child has been reaped, the record is where a process finds its end that takes this one's place. */
function recordThenReap(directory: ContainerDirectory, pidfd: number): ContainerExit {
  try {
    return recordedExit(directory, exitStatus(awaitExit(pidfd)));
  } finally {
    reap(pidfd);
  }
}

function awaitExit(pidfd: number): number {
  return nodeAddon().peekExit(pidfd, true) ?? 0;
}

const jobs = {
  mountRootfs({ bundle, mounts }: { bundle: string; mounts: readonly RootfsMount[] }): void {
    mountRootfs(bundle, mounts);
  },

  unmountRootfs({ bundle }: { bundle: string }): void {
    unmountRootfs(bundle);
  },

  create(job: CreateJob): Child {
    if (job.rootfs !== undefined) mountRootfs(job.lowering.bundle, job.rootfs);
    return childOf(makeFrom(job, false));
  },

  /** Creates and starts a container; a failure leaves nothing behind. */
  spawn({ root, id, choices, descriptors }: SpawnJob): Child {
    const { spec, mapRootfs } = sandboxSpec(choices, gatherHostFacts());
    const lowering = { id, bundle: join(root, id), mapRootfs, preserveFds: descriptors.length - 3 };
    const given = { root, spec, lowering, descriptors, consoleSocket: undefined, pidfdSocket: undefined };
    const created = makeFrom(given, true);
    try {
      startCreated(created.directory, created.record, () => created.source, created.socket);
      demandNoInterrupt();
      return childOf(created);
    } catch (error) {
      addon().settleInterrupts(false);
      deleteFailed(created.directory);
      reap(created.pidfd);
      throw orInterrupt(error);
    }
  },

  /** Saves a container with CRIU; one that ends stays to be deleted. */
  checkpoint({ request, ...place }: Place & { request: CheckpointRequest }): void {
    saveContainer(directoryOf(place), request);
  },

  /** Makes a container from what checkpoint has written, whose processes go on; a failure leaves nothing behind. */
  restore(job: RestoreJob): Child {
    const given = { consoleSocket: undefined, pidfdSocket: undefined, lsmProfile: undefined };
    const restored = restoreContainer({ ...given, lsmMountContext: undefined, hosted: true, detached: false, ...job });
    try {
      runPoststartHooks(restored.directory, restored.record, () => restored.source);
      return childOf(restored);
    } catch (error) {
      if (restored.terminal >= 0) closeQuietly(restored.terminal);
      reap(restored.pidfd);
      throw error;
    }
  },

  /** Starts a container. If this is aborted it is only half done, so the container is deleted. */
  start(place: Place): void {
    const directory = directoryOf(place);
    addon().catchInterrupts();
    try {
      startContainer(directory);
    } catch (error) {
      if (addon().interruptedBy() === 0) throw error;
      addon().settleInterrupts(false);
      deleteFailed(directory);
      throw orInterrupt(error);
    }
  },

  /** Lets another start take a container that one had taken which was killed. */
  offerAgain: (place: Place): void => offerAgain(directoryOf(place)),

  /**
   * For a child that has ended: does what `run` does then; with `keep` the state stays for delete.
   *
   * @param given `alone`: processes that outlive init, as some do without a pid namespace of its own, are killed
   */
  finish({ pidfd, keep, alone = false, ...place }: Place & { pidfd: number; keep: boolean; alone?: boolean }) {
    const directory = directoryOf(place);
    if (alone) killOthers(directory);
    if (keep) return recordThenReap(directory, pidfd);
    const status = reap(pidfd);
    const record = directory.readIfThere();
    if (record === undefined) return status;
    const oomKilled = wasOomKilled(record);
    deleteContainer(directory, { force: true }, record);
    return { ...status, ...(oomKilled !== undefined && { oomKilled }) };
  },

  /** A pidfd of init, for a process that is not its parent; undefined when init has ended. */
  watched(place: Place): number | undefined {
    const { init } = directoryOf(place).read();
    if (init === undefined || !isAlive(init)) return undefined;
    const pidfd = addon().pidfdOpen(init.pid);
    if (isAlive(init)) return pidfd;
    closeQuietly(pidfd);
    return undefined;
  },

  /** How an init that is not a child of this process has ended. */
  ended({ pidfd, ...place }: Place & { pidfd: number | undefined }): ContainerExit | undefined {
    const record = directoryOf(place).readIfThere();
    if (record?.exit !== undefined) return record.exit;
    const reaped = pidfd === undefined ? null : addon().exitInfo(pidfd);
    const status = reaped === null ? record?.init && waitForExit(record.init) : exitStatus(reaped);
    const oomKilled = record && wasOomKilled(record);
    return status && { ...status, ...(oomKilled !== undefined && { oomKilled }) };
  },

  /** Starts one more process; if this fails or is aborted, no process is left. */
  exec({ root, id, ...asked }: ExecJob): Child {
    addon().catchInterrupts();
    try {
      return execFrom(directoryOf({ root, id }), asked);
    } catch (error) {
      throw orInterrupt(error);
    }
  },

  /** A pidfd of a process that need not be a child; undefined when it has ended. */
  adopt(identity: Identity): number | undefined {
    if (!isAlive(identity)) return undefined;
    const pidfd = addon().pidfdOpen(identity.pid);
    if (isAlive(identity)) return pidfd;
    closeQuietly(pidfd);
    return undefined;
  },

  /** How a process that is no child has ended; undefined if the kernel no longer knows. Closes its pidfd, if not -1. */
  adoptedExit({ identity, pidfd }: { identity: Identity; pidfd: number }): ContainerExit | undefined {
    try {
      const status = pidfd < 0 ? null : addon().exitInfo(pidfd);
      return status === null ? waitForExit(identity) : exitStatus(status);
    } finally {
      if (pidfd >= 0) closeQuietly(pidfd);
    }
  },

  /** Does what finish does for an init that is no child. */
  record: ({ exit, ...place }: Place & { exit: ContainerExit }): ContainerExit =>
    recordedExit(directoryOf(place), exit),

  /** The wait status of a child that has ended, or is about to; it stays to be reaped. */
  awaitExit: ({ pidfd }: { pidfd: number }): number => awaitExit(pidfd),

  /** Reaps exec's process after its end. */
  reap: ({ pidfd }: { pidfd: number }): ContainerExit => reap(pidfd),

  /** The cgroup whose files report changes. */
  observed: (place: Place): string => observe(directoryOf(place)).cgroup,

  /** Looks for what has changed there. @param given `stats`: also what the container uses */
  look({ cgroup, stats, ...place }: Place & { cgroup: string; stats: boolean }): Look {
    const directory = directoryOf(place);
    const kills = oomKills(cgroup);
    if (isPopulated(cgroup)) return { kills, stats: stats ? statsEvent(observe(directory)).data : undefined };
    const record = directory.readIfThere();
    return { kills, stats: undefined, ended: { oomKilled: record !== undefined && wasOomKilled(record) === true } };
  },

  state(place: Place): PrintedState {
    const directory = directoryOf(place);
    return printedState(directory, directory.read());
  },

  kill({ signal, all, ...place }: Place & { signal: number; all: boolean }): void {
    (all ? killAll : killContainer)(directoryOf(place), signal);
  },

  pause: (place: Place): void => pauseContainer(directoryOf(place)),
  resume: (place: Place): void => resumeContainer(directoryOf(place)),

  update({ resources, ...place }: Place & { resources: LinuxResources }): void {
    demandKnown(resources);
    updateContainer(directoryOf(place), { resources, deviceRules: [], schemata: [] });
  },

  stats: (place: Place): StatsEvent['data'] => statsEvent(observe(directoryOf(place))).data,
  /** The same by the kernel's names. */
  metrics: (place: Place) => readMetrics(observe(directoryOf(place)).cgroup),

  ps: (place: Place): number[] => containerPids(directoryOf(place)),

  /** @param given `unmounts`: the bundle whose root filesystem create has mounted */
  delete({ force, unmounts, ...place }: Place & { force: boolean; unmounts?: string }): void {
    addon().catchInterrupts();
    try {
      deleteContainer(directoryOf(place), { force });
    } catch (error) {
      throw orInterrupt(error);
    }
    demandNoInterrupt();
    if (unmounts !== undefined) unmountRootfs(unmounts);
  },

  list: ({ root }: { root: string }) => {
    const { listed, failures } = listContainers(root);
    return { states: listed, failures: failures.map(({ asLine }) => asLine) };
  },

  plan(subject: Subject): Plan {
    const { lowering } = subject;
    const loaded = loadedFrom(subject);
    return (loaded === undefined ? prepare(lowering) : prepareLoaded(loaded, lowering)).plan;
  },

  /** Leaves out the text, which the caller has. */
  check(subject: Subject): Omit<Report, 'text'> {
    const { lowering, spec } = subject;
    const host = gatherHostFacts();
    const { text: _, ...report } =
      spec === undefined
        ? checkBundle(lowering, host, hostProbe)
        : checkConfig(sourceFrom(spec), lowering, host, hostProbe);
    return report;
  },

  spec: (choices: SpecChoices): Spec => configured(choices),

  /** Of this worker. */
  collect: (_: undefined): void => collectGarbage(),

  features(): Features {
    const { seccompFlags } = gatherHostFacts();
    return features([], { seccompFlags, libseccompVersion: libseccompVersion() });
  },
};

export type Jobs = typeof jobs;
export type JobName = keyof Jobs;
export type JobArguments<Name extends JobName> = Parameters<Jobs[Name]>[0];
export type JobResult<Name extends JobName> = ReturnType<Jobs[Name]>;

/** @throws what the job throws */
export function runJobNow(name: JobName, args: unknown): unknown {
  // Those of the job before were in another container's config.
  placeIn(() => undefined);
  return (jobs[name] as (args: unknown) => unknown)(args);
}
