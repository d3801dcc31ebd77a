import { constants, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { closeQuietly } from '../close.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import { isInitialUserNamespace } from '../host/facts.ts';
import { logError } from '../log.ts';
import { isThere } from '../there.ts';
import { cgroupType, enableControllers } from './controllers.ts';
import { readState, waitForState } from './events.ts';
import { isGone } from './gone.ts';
import { cgroupPids, killCgroup } from './processes.ts';
import { eachCgroupBelow } from './walk.ts';

/** How long a killed process may take to go; it may be writing its core, or be stuck in a dying filesystem. */
const exitTimeoutMs = 10_000;

/** How often to retry when other creates fail, and remove again the cgroups that they have made above ours. */
const makeAttempts = 100;

/**
 * Makes the container's cgroup and the missing ones above it, with their controllers.
 *
 * @param required controllers that the container's limits need
 * @param limitOf the property that needs a controller
 * @returns the directories that were made, deepest first, for the undo
 * @throws TsrunError when the cgroup already has processes, is frozen, or cannot hold any
 */
export function createCgroup(
  path: string,
  required: readonly string[],
  limitOf: (controller: string) => string | undefined,
): string[] {
  const made: string[] = [];
  try {
    for (let left = makeAttempts; !makeMissing(path, made, left); left--);
    if (made[0] !== path) demandWritable(path);
    enableControllers(path, required, limitOf);
    demandUsable(path, made[0] === path);
  } catch (error) {
    undoMade(made);
    throw error;
  }
  return made;
}

/**
 * Makes the missing cgroups. Others may make and remove the same ones meanwhile.
 *
 * @param made gets each new directory at its front
 * @returns false when one of the cgroups above has gone meanwhile
 */
function makeMissing(path: string, made: string[], attemptsLeft: number): boolean {
  const missing: string[] = [];
  try {
    for (let at = path; !isThere(at); at = dirname(at)) missing.push(at);
    for (const directory of missing.reverse()) {
      if (makeDirectory(directory)) made.unshift(directory);
      else if (directory === path) throw inUse(path);
    }
    return true;
  } catch (error) {
    if (error instanceof TsrunError) throw error;
    if (isGone(error) && attemptsLeft > 0) return false;
    throw cannotMake(path, error as NodeJS.ErrnoException);
  }
}

/** Refuses a cgroup that another user's container has made under the same name, whatever is in it. */
function demandWritable(path: string): void {
  try {
    closeQuietly(openSync(join(path, 'cgroup.procs'), constants.O_WRONLY));
  } catch (error) {
    throw cannotMake(path, error as NodeJS.ErrnoException);
  }
}

/**
 * False when another process has just made it. mkdirSync's `recursive` would not do: on a read-only mount it says
 * ENOENT in Node.
 */
function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o755 });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The error while the other container has no process in the cgroup yet. */
function inUse(path: string): TsrunError {
  return new TsrunError(`container's cgroup is in use: another container is just being created in ${path}`, {
    hint: sharedHint,
  });
}

const sharedHint = 'two containers cannot share /linux/cgroupsPath';

/** How an ordinary user gets a cgroup. */
const delegationHint =
  'have one delegated (systemd-run --user --scope -p Delegate=yes tsrun …), or use --systemd-cgroup';

/** A hint for a container without a cgroup. */
export function noCgroupHint(isRoot = isHostRoot()): string {
  const asked = 'it was created with --cgroup-manager disabled (podman --cgroups=disabled)';
  return isRoot ? `${asked}, or without cgroup v2` : `${asked}, or where none could be made: ${delegationHint}`;
}

function isHostRoot(): boolean {
  return process.geteuid?.() === 0 && isInitialUserNamespace();
}

function cannotMake(path: string, error: NodeJS.ErrnoException): TsrunError {
  const elsewhere = 'choose a place you may write to with /linux/cgroupsPath';
  const refusal = isHostRoot() ? elsewhere : delegationHint;
  const hints: Readonly<Record<string, string>> = {
    EAGAIN: 'cgroup.max.depth or cgroup.max.descendants of a cgroup above forbids it',
    EROFS: 'the cgroup filesystem is mounted read-only here; in a container, it needs a writable /sys/fs/cgroup',
    EACCES: refusal,
    EPERM: refusal,
    ENAMETOOLONG: 'a name may have 255 bytes: choose a shorter /linux/cgroupsPath',
  };
  return new TsrunError(`cannot make the cgroup ${path}: ${error.code}`, {
    hint: hints[error.code ?? ''] ?? systemHint(error),
    cause: error,
  });
}

/** Applies runc's rule: another container's processes must not get this one's limits, nor be killed with it. */
function demandUsable(path: string, isNew: boolean): void {
  const type = cgroupType(path);
  if (type === 'domain invalid' || type === 'threaded') {
    throw new TsrunError(`cannot enter the cgroup ${path}: it is ${type}, as a cgroup above it is threaded`, {
      hint: 'a container needs a domain (cgroup-v2.rst, Threads): choose another place with /linux/cgroupsPath',
    });
  }
  if (isNew) return;
  if (readState(path, 'populated')) {
    throw new TsrunError(`container's cgroup is not empty: ${cgroupPids(path).length} process(es) found in ${path}`, {
      hint: sharedHint,
    });
  }
  if (readState(path, 'frozen')) {
    throw new TsrunError(`container's cgroup unexpectedly frozen: ${path}`, {
      hint: `echo 0 > ${join(path, 'cgroup.freeze')}`,
    });
  }
}

/** Opens a cgroup for CLONE_INTO_CGROUP and bpf(2). */
export function openCgroup(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (!isGone(error)) throw error;
    throw new TsrunError(`cannot open the cgroup ${path}: ${errorCode(error)}`, {
      hint: 'somebody has removed it',
      cause: error,
    });
  }
}

/** Undoes createCgroup, which returned `made`. Other containers may use the cgroups above by now. */
export function undoCgroup(path: string, made: readonly string[]): void {
  const [own, ...above] = made;
  killCgroup(path);
  awaitEmptyCgroup(path);
  if (own === path) removeCgroup(path);
  removeUnused(above);
}

/** For a create that has already failed for another reason. */
function undoMade(made: readonly string[]): void {
  try {
    removeUnused(made);
  } catch (error) {
    logError('error', error);
  }
}

/** Removes cgroups, deepest first, up to the first one in use. */
function removeUnused(directories: readonly string[]): void {
  for (const directory of directories) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if (isGone(error)) continue;
      if (errorCode(error) === 'EBUSY') return;
      throw new TsrunError(`cannot remove the cgroup ${directory}: ${errorCode(error)}`, { hint: systemHint(error) });
    }
  }
}

/** Waits for the end of all processes in the cgroup and below it; an absent cgroup is no error. */
function awaitEmptyCgroup(path: string): void {
  waitForState(path, 'populated', false, exitTimeoutMs);
}

/** Kills everything in the cgroup and below it, waits for the end, and removes it and those below it. */
export function destroyCgroup(path: string): void {
  // Most containers leave it empty.
  if (removesAtOnce(path)) return;
  killCgroup(path);
  removeEmptiedCgroup(path);
}

/** Kills everything in the cgroup and below it, waits for the end, and removes those below; the cgroup itself stays. */
export function emptyCgroup(path: string): void {
  killCgroup(path);
  awaitEmptyCgroup(path);
  eachCgroupBelow(path, (below) => remove(below, path));
}

/**
 * Removes a cgroup whose processes are about to end by themselves, and those below it.
 *
 * @throws TsrunError, and removes nothing, when they do not
 */
export function removeEmptiedCgroup(path: string): void {
  awaitEmptyCgroup(path);
  const pids = cgroupPids(path);
  if (pids.length > 0) {
    throw new TsrunError(`cannot remove the cgroup ${path}: processes are still in it: ${pids.join(', ')}`);
  }
  removeCgroup(path);
}

function removesAtOnce(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return isGone(error);
  }
}

/**
 * Removes an empty cgroup and those that the container made below it; an absent cgroup is no error.
 *
 * @throws TsrunError when one of them still has a process
 */
function removeCgroup(path: string): void {
  eachCgroupBelow(path, (below) => remove(below, path));
  remove(path, path);
}

/** @param top the path for the message, as the other may not say much */
function remove(directory: string, top: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (isGone(error)) return;
    throw new TsrunError(`cannot remove the cgroup ${top}: ${errorCode(error)}`, { hint: removalHint(error, top) });
  }
}

/** @param top the cgroup whose processes are named */
export function removalHint(error: unknown, top: string): string | undefined {
  if (errorCode(error) !== 'EBUSY') return systemHint(error);
  return `processes still in it: ${cgroupPids(top).join(', ') || 'none'}`;
}
