import { constants, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addon, type ThawGuard } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { errorCode, TsrunError } from '../errors.ts';
import { log } from '../log.ts';
import { readState, waitForState } from './events.ts';
import { isGone } from './gone.ts';

/** How long to wait for a process that is stuck in the kernel (uninterruptible) before freezing is given up. */
const freezeTimeoutMs = 10_000;

/**
 * Stops every process in the cgroup and below it, and waits until they all stand still (cgroup.freeze).
 *
 * @throws TsrunError when one does not stop in time, and all are let go on; in runc's words when the cgroup is gone
 */
export function freezeCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.freeze'), '1');
  } catch (error) {
    if (isGone(error)) throw new TsrunError('container not running', { code: 'EWRONGSTATE' });
    throw error;
  }
  if (waitForState(path, 'frozen', true, freezeTimeoutMs)) return;
  thawCgroup(path);
  throw new TsrunError('cannot pause the container: a process did not stop in time', {
    hint: 'one in state D of ps(1) is waiting in the kernel, for a disk or a network filesystem',
  });
}

/** Lets them go on; an absent cgroup is no error. */
export function thawCgroup(path: string): void {
  try {
    writeFileSync(join(path, 'cgroup.freeze'), '0');
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Whether every process in it is stopped; an absent cgroup is not frozen. */
export function isFrozen(path: string): boolean {
  try {
    return readState(path, 'frozen');
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/**
 * Calls `action` while all processes are stopped. If they cannot be stopped, it is called all the same, with a warning.
 * They go on afterwards even if this command is killed meanwhile, or cannot thaw the cgroup itself: a process beside it
 * then does. A cgroup that is already frozen stays frozen.
 *
 * @throws TsrunError when they are still stopped
 */
export function whileFrozen(path: string, action: () => void): void {
  if (isFrozen(path)) return action();
  let freezer: Freezer;
  try {
    freezer = new Freezer(path);
  } catch (error) {
    warn(error);
    return action();
  }
  freezer.during(() => {
    try {
      freezer.freeze();
    } catch (error) {
      warn(error);
    }
    action();
  });
}

function warn(error: unknown): void {
  log('warning', `${(error as Error).message}: a process that forks now may be missed`);
}

/**
 * The same, but `action` says when they are to be stopped, by calling `freeze`, which fails if they cannot be.
 *
 * @throws TsrunError when they are still stopped at the end
 */
export function withFreezer(path: string, action: (freeze: () => void) => void): void {
  if (isFrozen(path)) return action(() => {});
  const freezer = new Freezer(path);
  freezer.during(() => action(() => freezer.freeze()));
}

/** A thawed cgroup, and the process that thaws it if this one cannot. */
class Freezer {
  readonly #path: string;
  readonly #guard: ThawGuard;
  #hasFrozen = false;

  constructor(path: string) {
    this.#path = path;
    this.#guard = startGuard(path);
  }

  freeze(): void {
    this.#hasFrozen = true;
    freezeCgroup(this.#path);
  }

  during(action: () => void): void {
    let failure: unknown;
    try {
      action();
    } catch (error) {
      failure = error;
    }
    // After a failure another program that works on it may have left it frozen.
    const mayBeFrozen = this.#hasFrozen || failure !== undefined;
    if (!addon().endThawGuard(this.#guard, !mayBeFrozen || thaws(this.#path))) {
      throw new TsrunError(`the container is left paused: cannot write ${join(this.#path, 'cgroup.freeze')}`, {
        hint: 'tsrun resume',
        cause: failure,
      });
    }
    if (failure !== undefined) throw failure;
  }
}

function startGuard(path: string): ThawGuard {
  const fd = openSync(join(path, 'cgroup.freeze'), constants.O_WRONLY);
  try {
    return addon().startThawGuard(fd);
  } finally {
    closeQuietly(fd);
  }
}

function thaws(path: string): boolean {
  try {
    thawCgroup(path);
    return true;
  } catch (error) {
    log('debug', `${path} is thawed by the guard: ${errorCode(error)}`);
    return false;
  }
}
