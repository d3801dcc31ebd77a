import { constants } from 'node:os';
import { dirname } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { withPlace } from '../config/locate.ts';
import type { SpecSource } from '../config/validate/places.ts';
import { errorCode, TsrunError } from '../errors.ts';
import { readHookValue } from '../generated/messages.ts';
import type { Op } from '../generated/ops.ts';
import type { Spec } from '../generated/spec.ts';
import { isEnding } from '../host/processes.ts';
import { log } from '../log.ts';
import { converse, type Ending } from '../run/conversation.ts';
import { describeFailure } from '../run/failures/failure.ts';
import { messageType, receiveFromInit, sendContinue, sendWaitOn } from '../run/message.ts';
import { placeHook, runHook } from '../run/ops/hook.ts';
import { traceOfStart, traceStep } from '../run/trace.ts';
import { unreportedFailure } from '../run/unreported.ts';
import { filterOf } from '../seccomp/filter.ts';
import { handListenerOver } from '../seccomp/listener.ts';
import { deleteFailed } from './delete.ts';
import { waitForExit } from './exit.ts';
import { placeIn } from './log-findings.ts';
import type { ContainerRecord } from './record.ts';
import { filterCacheDirectory } from './root.ts';
import { hookState, statusOf } from './state.ts';
import { type ContainerDirectory, execSocket, takenSocket } from './store.ts';

/**
 * runtime.md, Start: lets init go on to the user's program, and waits until init has become it. A failure in between (a
 * startContainer hook, execve) is this command's error, because init's end of the socket stays open until execve.
 */
export function startContainer(directory: ContainerDirectory): void {
  const record = directory.read();
  demandCreated(directory, record);
  const source = () => directory.configSource();
  placeIn(() => directory.configSourceIfThere());
  startCreated(directory, record, source);
}

/** Returns the config's text, for the places in messages. */
type Source = () => SpecSource;

/** If the text cannot be read, only the place is lost; the error is still reported, and everything is still undone. */
function placed(error: unknown, source: Source): unknown {
  try {
    return withPlace(error, source());
  } catch {
    return error;
  }
}

/**
 * Starts a container that this command has created, so that nothing needs to be looked up.
 *
 * @param socket to init, which waits for this command alone
 */
export function startCreated(
  directory: ContainerDirectory,
  record: ContainerRecord,
  source: Source,
  socket?: number,
): void {
  if (!Object.values(record.startOps).some(({ op }) => op === 'exec')) {
    const hint = 'add a process to config.json and create again';
    throw placed(new TsrunError('required by start', { about: '/process', hint }), source);
  }
  try {
    traceStep('start-program', 'start', () => release(directory, record, source, socket));
  } catch (error) {
    throw placed(error, source);
  }
  runPoststartHooks(directory, record, source);
}

function demandCreated(directory: ContainerDirectory, record: ContainerRecord): void {
  const status = statusOf(directory, record);
  if (status === 'created') return;
  if (status === 'stopped') throw hasStopped();
  if (status === 'creating')
    throw new TsrunError('cannot start a container that is still being created', { code: 'EWRONGSTATE' });
  if (status === 'paused')
    throw new TsrunError('cannot start a paused container', { code: 'EWRONGSTATE', hint: 'tsrun resume' });
  throw alreadyRunning();
}

/**
 * Lets init go on, and waits until it has become the program. If a startContainer hook fails, the container is
 * destroyed (runtime.md, Lifecycle 7).
 */
function release(directory: ContainerDirectory, record: ContainerRecord, source: Source, own?: number): void {
  const socket = own ?? connectToInit(directory, record);
  try {
    if (own === undefined) {
      // Init answers only the first to connect. It then waits for this command's message, and the container is not
      // started yet: if this command is killed now, init ends.
      if (receiveFromInit(socket)?.type !== messageType.sync) throw notAnswered(record);
      sendContinue(socket, takeStart(socket, directory, record));
      if (record.waitsAgain) removeQuietly(directory);
    } else {
      sendContinue(socket, traceOfStart(record.startOps));
    }
    const failure = answer(socket, record);
    // Now, because deleting the container takes the config away.
    const error = failure && placed(failureOf(directory, record, failure), source);
    if (failure?.op.op === 'run-container-hook') deleteFailed(directory);
    if (failure !== undefined) {
      // Init ends after its report; wait, so that the container is stopped when this error is shown.
      if (record.init !== undefined) waitForExit(record.init);
      throw error;
    }
    const unreported = unreportedFailure(record.init, Object.values(record.startOps), () => filterIn(directory));
    if (unreported !== undefined) throw unreported;
  } finally {
    closeQuietly(socket);
  }
}

/**
 * Makes sure that no other start can take the container. If this fails, the container stays created.
 *
 * @returns a descriptor for init to write its times to, or -1
 */
function takeStart(socket: number, directory: ContainerDirectory, record: ContainerRecord): number {
  try {
    const trace = traceOfStart(record.startOps);
    if (record.waitsAgain) directory.takeExecSocket();
    else directory.removeExecSocket();
    return trace;
  } catch (error) {
    sendWaitOn(socket);
    throw error;
  }
}

/** Init goes on already, so this is no reason to fail; delete removes what is left. */
function removeQuietly(directory: ContainerDirectory): void {
  try {
    directory.removeTakenSocket();
  } catch (error) {
    log('debug', (error as Error).message);
  }
}

/** After a start that was killed when it had taken the container: if init still waits, the container is created again. */
export function offerAgain(directory: ContainerDirectory): void {
  try {
    // Init sees a start that goes without a word.
    closeQuietly(addon().connect(directory.path, takenSocket));
    directory.giveExecSocketBack();
  } catch (error) {
    if (errorCode(error) === 'ECONNREFUSED') directory.removeTakenSocket();
    else if (errorCode(error) !== 'ENOENT') throw error;
  }
}

function connectToInit(directory: ContainerDirectory, record: ContainerRecord): number {
  try {
    return addon().connect(directory.path, execSocket);
  } catch (error) {
    if (!['ECONNREFUSED', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    // Init has closed the socket since: it has ended, or another start was faster.
    demandCreated(directory, record);
    throw alreadyRunning();
  }
}

/** The filter that init has loaded. */
function filterIn(directory: ContainerDirectory): Uint8Array | undefined {
  const profile = directory.readConfig().linux?.seccomp;
  return profile && filterOf(profile, filterCacheDirectory(dirname(directory.path))).program;
}

type Failed = Extract<Ending, { how: 'failed' }>;

/**
 * If something is too long for execve(2), it may be in the environment, which the config has but the record leaves out.
 */
function failureOf(directory: ContainerDirectory, record: ContainerRecord, { op, message }: Failed): TsrunError {
  const isTooLong = [message.error, readHookValue(message.value).code].includes(constants.errno.E2BIG);
  const spec = isTooLong ? directory.readConfig() : undefined;
  const complete = (each: Op) => withEnvironment(each, spec);
  return describeFailure(complete(op), message, Object.values(record.startOps).map(complete));
}

function withEnvironment(op: Op, spec: Spec | undefined): Op {
  if (op.op === 'prepare-exec') return { ...op, env: spec?.process?.env ?? [] };
  if (op.op !== 'run-container-hook') return op;
  return { ...op, env: spec?.hooks?.[op.kind as 'startContainer']?.[Number(op.index)]?.env ?? [] };
}

/**
 * Answers init until it closes its end of the socket. @returns the failure that init reports on the way to the program
 */
function answer(socket: number, record: ContainerRecord): Failed | undefined {
  const ending = converse(socket, {
    opOf(index) {
      const op = record.startOps[index];
      if (op === undefined) throw new Error(`init speaks of op ${index}`);
      return op;
    },
    listener: (fd) => handOver(fd, record),
  });
  if (ending.how === 'failed') return ending;
  if (ending.how === 'closed' && ending.atExecve) return undefined;
  throw new TsrunError("the container's init was killed before it became the program");
}

function handOver(fd: number, record: ContainerRecord): void {
  if (record.seccompListener === null || record.init === undefined) throw new Error('a listener that nobody asked for');
  handListenerOver(record.seccompListener, fd, record.init.pid, hookState(record, 'created'));
}

/** Another start was faster. If that one was killed before it sent its message, init has ended, too. */
function notAnswered({ init }: ContainerRecord): TsrunError {
  return init === undefined || isEnding(init) ? hasStopped() : alreadyRunning();
}

function hasStopped(): TsrunError {
  return new TsrunError('cannot start a container that has stopped', { code: 'EWRONGSTATE' });
}

function alreadyRunning(): TsrunError {
  return new TsrunError('cannot start an already running container', { code: 'EWRONGSTATE' });
}

/** runtime.md, Lifecycle 9: if a poststart hook fails, the container is stopped and the poststop hooks run. */
export function runPoststartHooks(directory: ContainerDirectory, record: ContainerRecord, source: Source): void {
  record.hooks.poststart.forEach((hook, index) => {
    try {
      const op = placeHook(hook, 'poststart', index);
      traceStep('run-hook', op.from, () => runHook(op, hookState(record, 'running')));
    } catch (error) {
      const failure = placed(error, source);
      deleteFailed(directory);
      throw failure;
    }
  });
}
