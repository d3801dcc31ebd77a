import { closeSync } from 'node:fs';
import { addon } from '../addon.ts';
import { destroyCgroup } from '../cgroup/cgroupfs.ts';
import { TsrunError } from '../errors.ts';
import { placeHook, runHook } from '../hooks/run.ts';
import { log } from '../log.ts';
import { removeGroups } from '../resctrl/group.ts';
import { endInit } from './kill.ts';
import type { ContainerRecord } from './record.ts';
import { hookState, statusOf } from './state.ts';
import type { ContainerDirectory } from './store.ts';

/**
 * runtime.md, Delete: undoes create. As runc does, a created container is killed first; a running one is refused
 * without `force`. With `force` an absent container is no error.
 */
export function deleteContainer(directory: ContainerDirectory, { force }: { force: boolean }): void {
  if (!directory.exists()) {
    if (force) return;
    throw new TsrunError('container does not exist');
  }
  const lock = directory.open();
  try {
    addon().lock(lock, true);
    // Another delete may have held the lock until now.
    if (directory.exists()) deleteLocked(directory, force);
  } finally {
    closeSync(lock);
  }
}

function deleteLocked(directory: ContainerDirectory, force: boolean): void {
  const record = force ? readIfPossible(directory) : directory.read();
  if (record === undefined) {
    directory.remove();
    return;
  }
  const status = statusOf(directory, record);
  if (!force && status !== 'stopped' && status !== 'created') {
    throw new TsrunError(`cannot delete container ${record.id} that is not stopped: ${status}`);
  }
  endInit(record);
  if (record.cgroup !== null) destroyCgroup(record.cgroup);
  if (record.resctrl !== undefined) removeGroups(record.resctrl);
  directory.remove();
  runPoststopHooks(record);
}

/** A directory whose record cannot be read belongs to a create that was killed before it made anything else. */
function readIfPossible(directory: ContainerDirectory): ContainerRecord | undefined {
  try {
    return directory.read();
  } catch (error) {
    log('warning', (error as TsrunError).message);
    return undefined;
  }
}

/** config.md, Poststop: after the delete; a failing hook is a warning and the rest still run. */
function runPoststopHooks(record: ContainerRecord): void {
  record.hooks.poststop.forEach((hook, index) => {
    try {
      runHook(placeHook(hook, 'poststop', index), hookState(record, 'stopped'));
    } catch (error) {
      log('warning', (error as TsrunError).message);
    }
  });
}
