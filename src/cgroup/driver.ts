import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TsrunError } from '../errors.ts';
import { cgroupFacts } from '../host/facts.ts';
import { log } from '../log.ts';
import { scopeControlGroup, setUnitProperties, stopUnit, type UnitName } from '../systemd/manager.ts';
import { unitProperties } from '../systemd/unit-properties.ts';
import { destroyCgroup } from './cgroupfs.ts';
import { cgroupPids, killCgroup } from './processes.ts';
import type { SettingOp } from './settings.ts';
import { applySettings } from './settings.ts';

/**
 * A container's cgroup once it is there. With a unit systemd has made it and must hear of every change; without one it
 * is a directory that tsrun has made itself. These two functions, and the ops create-cgroup and start-scope, are all in
 * which the two drivers differ.
 */
export interface ContainerCgroup {
  /** Absolute path of the directory. */
  readonly path: string;
  readonly unit?: UnitName | undefined;
}

/**
 * Sets new limits.
 *
 * @throws TsrunError for the first that systemd or the kernel refuses
 */
export function changeLimits({ path, unit }: ContainerCgroup, settings: readonly SettingOp[]): void {
  const isCheck = ({ op }: SettingOp) => op === 'check-memory-use';
  // Before anything is changed, by systemd too.
  applySettings(path, settings.filter(isCheck));
  // The unit first: systemd writes the files itself, in its own steps, and the exact values go over that.
  if (unit !== undefined) changeUnit(path, unit, settings);
  applySettings(
    path,
    settings.filter((setting) => !isCheck(setting)),
  );
}

function changeUnit(path: string, unit: UnitName, settings: readonly SettingOp[]): void {
  setUnitProperties(unit, unitProperties(settings, existsSync(join(path, 'io.bfq.weight'))));
  if (!settings.some((op) => op.op === 'write-cgroup-file' && op.file === 'memory.oom.group')) return;
  log('warning', `memory.oom.group: systemd knows it from create only: the next daemon-reload sets it as it was`);
}

/**
 * Removes the unit of a create that was killed while systemd made it. The unit may be another container's, for create
 * had perhaps not heard yet that the name is in use: then there are processes in it. Ours is empty, and stays there for
 * ever when init had ended before systemd moved it.
 */
export function removeUnfinishedUnit(unit: UnitName): void {
  try {
    const group = scopeControlGroup(unit);
    if (group === '' || cgroupPids(`${cgroupFacts().mount}${group}`).length === 0) return stopUnit(unit);
    log('warning', `systemd: ${unit.name} is left as it is: there are processes in it`);
  } catch (error) {
    log('warning', (error as TsrunError).message);
  }
}

/** Kills what is in the cgroup, and removes it and its unit; what is gone already is no error. */
export function removeContainerCgroup({ path, unit }: ContainerCgroup): void {
  if (unit === undefined) {
    destroyCgroup(path);
    return;
  }
  // By the kernel and not by systemd: at once, and together with what the container has just forked.
  killCgroup(path);
  try {
    stopUnit(unit);
  } catch (error) {
    // An empty scope ends by itself.
    log('warning', (error as Error).message);
  }
  destroyCgroup(path);
}
