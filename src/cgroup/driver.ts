import { join } from 'node:path';
import { cgroupFacts } from '../host/facts.ts';
import { log, logError, logFinding } from '../log.ts';
import { scopeControlGroup, setUnitProperties, stopUnit, type UnitName } from '../systemd/manager.ts';
import { systemdFiles, unitProperties } from '../systemd/unit-properties.ts';
import { isThere } from '../there.ts';
import { destroyCgroup } from './cgroupfs.ts';
import { filesOf, KeptFiles } from './kept-files.ts';
import { cgroupPids, killCgroup } from './processes.ts';
import type { SettingOp } from './settings.ts';
import { applySettings } from './settings.ts';

/**
 * A container's existing cgroup. With a unit, systemd has made it and must hear of every change; without one it is a
 * directory that tsrun has made itself. Only this file and the ops create-cgroup and start-scope know the difference.
 */
export interface ContainerCgroup {
  /** Absolute path of the directory. */
  readonly path: string;
  readonly unit?: UnitName | undefined;
}

/**
 * Sets new limits, and changes nothing else.
 *
 * @returns a function that undoes it
 * @throws TsrunError for the first limit that systemd or the kernel refuses; then nothing has changed
 */
export function changeLimits({ path, unit }: ContainerCgroup, settings: readonly SettingOp[]): () => void {
  const isCheck = ({ op }: SettingOp) => op === 'check-memory-use';
  // Before anything is changed, also by systemd.
  applySettings(path, settings.filter(isCheck));
  const named = new Set(filesOf(settings));
  const before = new KeptFiles(path, unit === undefined ? named : [...systemdFiles, ...named]);
  const undo = () => {
    if (unit !== undefined) tellUnit(path, unit, before.settings(named, { changed: false }));
    before.restore();
  };
  try {
    if (unit !== undefined) {
      // The unit first: systemd writes all of its files with its own rounding, and the exact values then replace those.
      changeUnit(path, unit, settings);
      before.restore(named);
    }
    applySettings(
      path,
      settings.filter((setting) => !isCheck(setting)),
    );
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** Tells systemd of settings. A failure is only logged: the unit may have gone with its last process. */
function tellUnit(path: string, unit: UnitName, settings: readonly SettingOp[]): void {
  try {
    setUnitProperties(unit, unitProperties(settings, hasBfq(path)));
  } catch (error) {
    logError('warning', error);
  }
}

function hasBfq(path: string): boolean {
  return isThere(join(path, 'io.bfq.weight'));
}

function changeUnit(path: string, unit: UnitName, settings: readonly SettingOp[]): void {
  setUnitProperties(unit, unitProperties(settings, hasBfq(path)));
  const group = settings.find((op) => op.op === 'write-cgroup-file' && op.file === 'memory.oom.group');
  if (group === undefined) return;
  logFinding('warning', {
    pointer: group.from,
    message: 'systemd is told at create only, and restores the old value at its next daemon-reload',
  });
}

/**
 * Removes the unit of a create that was killed while systemd made it. The unit may be another container's, because
 * create may not have heard yet that the name is in use; it has processes then. Ours is empty, and would stay forever
 * if init had ended before systemd moved it.
 */
export function removeUnfinishedUnit(unit: UnitName): void {
  try {
    const group = scopeControlGroup(unit);
    if (group === '' || cgroupPids(`${cgroupFacts().mount}${group}`).length === 0) return stopUnit(unit);
    log('warning', `systemd: ${unit.name} is left as it is: processes are still in it`);
  } catch (error) {
    logError('warning', error);
  }
}

/** Kills everything in the cgroup, and removes it and its unit; whatever is gone already is no error. */
export function removeContainerCgroup({ path, unit }: ContainerCgroup): void {
  if (unit === undefined) {
    destroyCgroup(path);
    return;
  }
  // By the kernel, not by systemd: this acts at once, and also on what the container has just forked.
  killCgroup(path);
  try {
    stopUnit(unit);
  } catch (error) {
    // An empty scope ends by itself, so a warning is enough.
    log('warning', (error as Error).message);
  }
  destroyCgroup(path);
}
