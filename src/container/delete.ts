import { addon } from '../addon.ts';
import { emptyCgroup, removeEmptiedCgroup } from '../cgroup/cgroupfs.ts';
import { removeContainerCgroup, removeUnfinishedUnit } from '../cgroup/driver.ts';
import { closeQuietly } from '../close.ts';
import { readBundleConfig } from '../config/read/read.ts';
import type { SpecSource } from '../config/validate/places.ts';
import { asTsrunError, TsrunError } from '../errors.ts';
import { log } from '../log.ts';
import { removeGroups } from '../resctrl/group.ts';
import { endInit } from './kill.ts';
import { runPoststopHooks } from './poststop.ts';
import type { ContainerRecord } from './record.ts';
import { isBeingCreated, statusOf } from './state.ts';
import { type ContainerDirectory, UnusableRecord } from './store.ts';

/**
 * runtime.md, Delete: undoes create. As in runc, a created container is killed first, and a running one is refused
 * without `force`. With `force` an absent container is no error.
 *
 * @param known its record, if this command has created it
 */
export function deleteContainer(
  directory: ContainerDirectory,
  { force }: { force: boolean },
  known?: ContainerRecord,
): void {
  const lock = directory.openIfThere();
  if (lock === undefined) return absent(directory, force);
  try {
    if (!addon().lock(lock, false)) awaitLock(directory, lock, force);
    // The process that held the lock may have removed the container.
    if (!directory.isAt(lock)) return absent(directory, force);
    const record = known ?? recordOf(directory, force);
    if (record === undefined) return directory.removeUnrecorded();
    if (!force) demandStopped(directory, record);
    deleteLocked(directory, record);
  } finally {
    closeQuietly(lock);
  }
}

/** Removes a container after a failure that is reported later. An error here is logged, so it comes first. */
export function deleteFailed(directory: ContainerDirectory): void {
  try {
    deleteContainer(directory, { force: true });
  } catch (error) {
    log('error', `while cleaning up: ${asTsrunError(error)?.asLine ?? (error as Error).message}`);
  }
}

function absent(directory: ContainerDirectory, force: boolean): void {
  if (!force) throw directory.absent();
}

/**
 * Waits for a create or another delete that holds the lock. A create fails when its init ends, and then removes
 * everything itself. A killed create may have left a child with the lock, which execve is about to close.
 */
function awaitLock(directory: ContainerDirectory, lock: number, force: boolean): void {
  const record = directory.readIfThere();
  if (record?.phase === 'creating') {
    if (!force && isBeingCreated(record)) throw notStopped(directory, 'creating');
    // Until the record knows init, create is ended instead, and init ends with it.
    const creator = record.hosted === true ? undefined : record.creator;
    endInit({ init: record.init ?? creator });
  }
  addon().lock(lock, true);
}

function deleteLocked(directory: ContainerDirectory, record: ContainerRecord): void {
  endInit(record);
  deleteCgroup(record);
  if (record.resctrl !== undefined) removeGroups(record.resctrl);
  const config = record.hooks.poststop.length > 0 ? directory.configSourceIfThere()?.text : undefined;
  directory.remove();
  runPoststopHooks(record, () => (config === undefined ? undefined : sourceInBundle(record, config)));
}

/** The bundle's config.json, if it is still what the container was made from: the container's own copy has gone. */
function sourceInBundle({ bundle }: ContainerRecord, text: string): SpecSource | undefined {
  try {
    const { text: now, path } = readBundleConfig(bundle);
    return now === text ? { text, path } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the record; undefined without one. With `force`, an unusable record is replaced by what is known from
 * elsewhere.
 *
 * @throws TsrunError when nothing is known: the container may still have processes that nobody could find again
 */
function recordOf(directory: ContainerDirectory, force: boolean): ContainerRecord | undefined {
  try {
    return directory.readIfThere();
  } catch (error) {
    if (!force || !(error instanceof UnusableRecord)) throw error;
    const record = directory.recover(error.value);
    if (record !== undefined) {
      log('warning', error.message);
      return record;
    }
    throw new TsrunError(`${error.message}, and nothing else records its processes and cgroup`, {
      hint: `look for them, end and remove them, and then ${directory.path}`,
    });
  }
}

/**
 * If the record has no init, create was killed before or just after the clone. Processes in the cgroup may then be
 * strangers, because create may not have noticed yet that it is in use. Create's own init ends by itself when create is
 * gone.
 */
function deleteCgroup({ cgroup, foreignCgroup, init, unit }: ContainerRecord): void {
  if (cgroup === null) {
    if (unit !== undefined) removeUnfinishedUnit(unit);
    return;
  }
  if (foreignCgroup) return init === undefined ? undefined : emptyCgroup(cgroup);
  if (init === undefined) removeEmptiedCgroup(cgroup);
  else removeContainerCgroup({ path: cgroup, unit });
}

/** What a killed create leaves counts as stopped: its init, if it still runs, is about to end. */
function demandStopped(directory: ContainerDirectory, record: ContainerRecord): void {
  if (record.phase === 'creating' && !isBeingCreated(record)) return;
  const status = statusOf(directory, record);
  if (status !== 'stopped' && status !== 'created') throw notStopped(directory, status);
}

function notStopped({ id }: ContainerDirectory, status: string): TsrunError {
  return new TsrunError(`cannot delete container ${id} that is not stopped: ${status}`, {
    code: 'EWRONGSTATE',
    hint: 'kill it first, or delete --force',
  });
}
