/** Groups of resctrl: each is a directory with the files schemata and tasks. All paths come from the plan. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsrunError } from '../errors.ts';
import type { JoinResctrlOp } from '../generated/ops.ts';
import { isThere, readIfThere } from '../there.ts';
import { schemataConflict } from './schemata.ts';

/**
 * Puts a process into its group. A missing group is made; an existing one must agree with the config.
 *
 * @param announce gets the directories to be made, before any of them is, so that a killed create leaves a record of
 *   them
 * @throws TsrunError in the kernel's own words, if it gives any
 */
export function joinGroup(op: JoinResctrlOp, pid: number, announce: (directories: readonly string[]) => void): void {
  const isNew = !isThere(op.directory);
  if (isNew && op.mustExist) {
    throw new TsrunError(`there is no ${op.directory}`, {
      about: `${op.from}/closID`,
      hint: 'make the group beforehand, or give it schemata',
    });
  }
  const monitoring = op.monitoring !== null && !isThere(op.monitoring) ? [op.monitoring] : [];
  announce(isNew ? [...monitoring, op.directory] : monitoring);
  if (isNew) make(op, op.directory);
  writeSchemata(op, isNew);
  carryOut(op, join(op.directory, 'tasks'), String(pid));
  if (op.monitoring === null) return;
  for (const directory of monitoring) make(op, directory);
  carryOut(op, join(op.monitoring, 'tasks'), String(pid));
}

/** Writes only a new group; an existing one stays as it is, and must agree with the config. */
function writeSchemata({ schemata, directory, ...op }: JoinResctrlOp, isNew: boolean): void {
  const path = join(directory, 'schemata');
  for (const text of schemata) {
    if (isNew) {
      carryOut(op, path, text);
      continue;
    }
    const conflict = schemataConflict(text, readFileSync(path, 'utf8'));
    if (conflict === undefined) continue;
    throw new TsrunError(`the group ${directory} exists, and differs: ${conflict}`, {
      about: op.from,
      hint: 'choose another closID, or make the schemata the same',
    });
  }
}

/**
 * Writes new schemata to the group that create made for a container.
 *
 * @param groups directories that create made, as the container's record lists them
 * @throws TsrunError when none of them is a group with schemata: the container then shares a group, which must not be
 *   changed
 */
export function changeSchemata(groups: readonly string[], from: string, schemata: readonly string[]): void {
  const directory = groups.find((group) => isThere(join(group, 'schemata')));
  if (directory === undefined) {
    throw new TsrunError('the container has no resctrl group of its own', {
      about: from,
      hint: 'create it with /linux/intelRdt and a closID that does not exist yet',
    });
  }
  carryOut({ from, mount: dirname(directory) }, join(directory, 'schemata'), `${schemata.join('\n')}\n`);
}

function make(op: Pick<JoinResctrlOp, 'from' | 'mount'>, directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o755 });
  } catch (error) {
    throw refused(op, directory, error);
  }
}

function carryOut(op: Pick<JoinResctrlOp, 'from' | 'mount'>, path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw refused(op, path, error);
  }
}

function refused({ from, mount }: Pick<JoinResctrlOp, 'from' | 'mount'>, path: string, error: unknown): TsrunError {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'ENOSPC' ? 'all classes of service of this processor are in use' : lastStatus(mount);
  return new TsrunError(`${path}: ${code}${why === undefined ? '' : `: ${why}`}`, { about: from });
}

/** The kernel's words about the last failure; undefined after a success, for which the kernel says `ok`. */
function lastStatus(mount: string): string | undefined {
  try {
    const text = readFileSync(join(mount, 'info/last_cmd_status'), 'utf8').trim();
    return text === 'ok' || text === '' ? undefined : text;
  } catch {
    // These would only be more words for an error that already has a code.
    return undefined;
  }
}

/**
 * Removes groups that create made, in the given order, unless other processes are in them by now: removing a group puts
 * its processes into the default one. A group that is already gone is no error.
 */
export function removeGroups(directories: readonly string[]): void {
  for (const directory of directories) {
    if (!isThere(directory) || tasksOf(directory) !== '') continue;
    try {
      rmdirSync(directory);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') throw new TsrunError(`cannot remove the resctrl group ${directory}: ${code}`);
    }
  }
}

function tasksOf(directory: string): string {
  return readIfThere(join(directory, 'tasks'))?.trim() ?? '';
}
