import { dirname, join } from 'node:path';
import { addon } from '../addon.ts';
import { isSameAt, type PartSource, withPlace } from '../config/locate.ts';
import { exactIntegers } from '../config/read/exact-integers.ts';
import { TsrunError } from '../errors.ts';
import type { Process, Spec } from '../generated/spec.ts';
import { type ContainerFacts, gatherContainerFacts } from '../host/container-facts.ts';
import { checkConsole } from '../host/descriptor-sockets.ts';
import { gatherHostFacts, type HostFacts } from '../host/facts.ts';
import { isEnding } from '../host/processes.ts';
import { log, releaseWarnings } from '../log.ts';
import { type ExecOptions, lowerExecPlan } from '../lower/exec-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { Executor } from '../run/executor.ts';
import { containerStopped } from '../run/failures/failure.ts';
import type { PlanOwner, PlanProcess, RunOptions, Started } from '../run/owner.ts';
import { isThere } from '../there.ts';
import { UndoStack } from '../undo.ts';
import type { MadeProcess } from './exec-process.ts';
import { logFindings } from './log-findings.ts';
import type { ContainerRecord } from './record.ts';
import { filterCacheDirectory } from './root.ts';
import { hookState, statusOf } from './state.ts';
import type { ContainerDirectory } from './store.ts';

export interface ExecRequest {
  /** Makes the process from the container's own. */
  process: (own: Process | undefined) => MadeProcess;
  detach: boolean;
  pidFile: string | undefined;
  consoleSocket: string | undefined;
  pidfdSocket: string | undefined;
  preserveFds: number;
  /** The process's descriptors 0, 1, 2 and from 3 on; absent: it gets this process's own. */
  descriptors?: readonly number[];
  /** Path below the container's cgroup. */
  cgroup: string | undefined;
  ignorePaused: boolean;
  userName: string | undefined;
  groupName: string | undefined;
  /** Notes the process before it is the program. */
  noteProcess?: ((made: PlanProcess) => void) | undefined;
}

type SourceOf = (pointer: string) => PartSource | undefined;

export interface PreparedExec {
  /** The container's record. */
  record: ContainerRecord;
  spec: Spec;
  plan: Plan;
  /** Finds the text that has a property, for the places in messages. */
  sourceOf: SourceOf;
}

/** Makes what `tsrun plan --exec` prints and exec runs; changes nothing. */
export function prepareExec(directory: ContainerDirectory, request: ExecRequest): PreparedExec {
  const record = directory.read();
  const host = gatherHostFacts();
  const container = demandRunning(directory, record, request, host);
  const own = configOf(directory);
  const made = request.process(own.process);
  const spec: Spec = { ...own, process: made.process };
  const sourceOf = (pointer: string) => sourceIn(pointer, directory, own, made);
  const options: ExecOptions = {
    id: record.id,
    bundle: record.bundle,
    container,
    pidFile: request.pidFile,
    preserveFds: request.preserveFds,
    userName: request.userName,
    groupName: request.groupName,
    notesProcess: request.noteProcess !== undefined,
    exactInteger: (pointer) => exactIn(pointer, sourceOf(pointer)),
    // A container without a cgroup has no device filter, whatever this command is told.
    ...(record.cgroup === null && { cgroupManager: 'disabled' }),
  };
  try {
    return { record, spec, plan: lowerExecPlan(spec, host, options), sourceOf };
  } catch (error) {
    throw placed(error, sourceOf);
  }
}

/** The text that a property comes from: --process, or the container's config unless the command line overrides it. */
function sourceIn(
  pointer: string,
  directory: ContainerDirectory,
  own: Spec,
  { process, given, source }: MadeProcess,
): PartSource | undefined {
  if (!isSameAt(pointer, { ...own, process }, { ...own, process: given })) return undefined;
  if (source !== undefined && pointer.startsWith('/process')) return source;
  try {
    return directory.configSource();
  } catch {
    // The container has just been deleted, which is reported elsewhere.
    return undefined;
  }
}

/** As exactIntegers has it, for a text that may be a part of a config. */
function exactIn(pointer: string, source: PartSource | undefined): bigint | undefined {
  return source && exactIntegers(source.text)(pointer.slice(source.base?.length ?? 0));
}

function placed(error: unknown, sourceOf: SourceOf): unknown {
  const source = error instanceof TsrunError && error.pointer !== undefined ? sourceOf(error.pointer) : undefined;
  return source === undefined ? error : withPlace(error, source);
}

/**
 * Runs one more process in a container.
 *
 * @returns the process's exit code, or 128 and the number of the signal that killed it; 0 when detached
 */
export function execInContainer(directory: ContainerDirectory, request: ExecRequest): number {
  const prepared = prepareExec(directory, request);
  const { spec, plan, sourceOf } = prepared;
  logFindings(plan, sourceOf);
  try {
    checkConsole(spec.process?.terminal === true, request.detach, request.consoleSocket);
  } catch (error) {
    throw placed(error, sourceOf);
  }
  // Not yet with --ignore-paused: exec waits until the container is resumed, and a signal may end that wait, and init.
  if (!request.detach && !request.ignorePaused) addon().holdSignals();
  const { pidfd, terminal } = startProcess(directory, prepared, request);
  if (request.detach) return 0;
  // Now, because the process may run for days.
  releaseWarnings();
  const { code, signal } = addon().waitForeground(pidfd, terminal);
  return code ?? 128 + (signal ?? 0);
}

function configOf(directory: ContainerDirectory): Spec {
  try {
    return directory.readConfig();
  } catch (error) {
    throw hasStopped(directory) ? containerStopped() : error;
  }
}

function demandRunning(
  directory: ContainerDirectory,
  record: ContainerRecord,
  { ignorePaused, cgroup }: ExecRequest,
  host: HostFacts,
): ContainerFacts {
  const status = statusOf(directory, record);
  if (status === 'stopped' || record.init === undefined) throw containerStopped();
  if (status === 'creating')
    throw new TsrunError('cannot exec in a container that is still being created', { code: 'EWRONGSTATE' });
  if (status === 'paused' && !ignorePaused) {
    throw new TsrunError('cannot exec in a paused container (use --ignore-paused to override)', {
      code: 'EWRONGSTATE',
    });
  }
  // A cgroup named by --cgroup has no fallback.
  const fallbackFrom = cgroup === undefined ? host.cgroup.mount : null;
  return gatherContainerFacts(record.init, cgroupFor(record, cgroup), fallbackFrom);
}

/** The container's cgroup, or the one below it that --cgroup names; never one outside it. */
function cgroupFor(record: ContainerRecord, below: string | undefined): string | null {
  if (record.cgroup === null) return null;
  if (below === undefined) return record.cgroup;
  if (below.split('/').includes('..')) {
    throw new TsrunError(`--cgroup ${below}: must not leave the container's cgroup`, { hint: 'leave .. out' });
  }
  const path = join(record.cgroup, below);
  if (!isThere(join(path, 'cgroup.procs'))) {
    throw new TsrunError(`--cgroup ${below}: the container has no such cgroup`, { hint: `looked for ${path}` });
  }
  return path;
}

export function startProcess(
  directory: ContainerDirectory,
  { plan, record, sourceOf }: PreparedExec,
  request: ExecRequest,
): Started {
  const undo = new UndoStack();
  const owner: PlanOwner = {
    started() {
      if (!request.detach && request.ignorePaused) addon().holdSignals();
    },
    state: () => hookState(record, 'running'),
  };
  const options: RunOptions = {
    ...request,
    initType: 'setns',
    starts: false,
    filterCache: filterCacheDirectory(dirname(directory.path)),
    agent: record.seccompListener,
  };
  try {
    const started = new Executor(plan, owner, undo, options).run();
    undo.forget();
    return started;
  } catch (error) {
    for (const failure of undo.run()) log('error', `while cleaning up: ${failure}`);
    // If the container ends, the process ends with it, at any step, and each step would report a different reason.
    throw hasStopped(directory) ? containerStopped() : placed(error, sourceOf);
  }
}

/** Whether the container has stopped, which explains the failure; an absent one was deleted meanwhile. */
function hasStopped(directory: ContainerDirectory): boolean {
  try {
    const init = directory.readIfThere()?.init;
    return init === undefined || isEnding(init);
  } catch {
    // This cannot be found out, so the original error stands.
    return false;
  }
}
