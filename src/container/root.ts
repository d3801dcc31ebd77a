import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addon } from '../addon.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import { isInitialUserNamespace } from '../host/facts.ts';
import { isThere } from '../there.ts';
import { isId } from './id.ts';

/**
 * The default of --root: runc's rule with our name. Root of an ordinary user's user namespace, as under rootless
 * podman, cannot write to /run; podman shows this case by setting XDG_RUNTIME_DIR and not USER.
 */
export function defaultRoot(uid = process.geteuid?.() ?? 0, initialUserNamespace = isInitialUserNamespace): string {
  const { XDG_RUNTIME_DIR: runtimeDir, USER: user } = process.env;
  if (runtimeDir === undefined || runtimeDir === '') return '/run/tsrun';
  if (uid === 0 && (user === 'root' || initialUserNamespace())) return '/run/tsrun';
  return join(runtimeDir, 'tsrun');
}

/**
 * Directory of the compiled seccomp filters of all containers. No id has a ~, so it is never a container's directory.
 */
export function filterCacheDirectory(root: string): string {
  return join(root, '.seccomp~');
}

/** Ids of all containers below root, sorted; empty if root does not exist. */
export function listIds(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .filter(isId)
      .sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw unreadable(root, error);
  }
}

/** The directories below root, sorted; none if root does not exist. */
export interface IdsBelow {
  /** This user's directories that have the file. */
  readonly having: readonly string[];
  /** Directories without it, of another user, or that cannot be looked into. */
  readonly others: readonly string[];
}

export function idsBelow(root: string, file: string): IdsBelow {
  try {
    const { having, others } = addon().directoriesWith(root, file);
    return { having: having.filter(isId), others: others.filter(isId) };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { having: [], others: [] };
    throw unreadable(root, error);
  }
}

/**
 * What is seen of all directories below root at once, sorted by name; none if root does not exist.
 *
 * @returns what addon().lookAtContainers does
 */
export function lookBelow(root: string, file: string, socket: string): string[] {
  try {
    return addon().lookAtContainers(root, file, socket);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw unreadable(root, error);
  }
}

function unreadable(root: string, error: unknown): TsrunError {
  return new TsrunError(`cannot read ${root}: ${errorCode(error)}`, { hint: rootHint(errorCode(error)), cause: error });
}

/** A hint for an ordinary user who asks for root's containers, such as those made with sudo. */
function rootHint(code: string): string | undefined {
  if (code !== 'EACCES') return systemHint({ code });
  return 'they are another user’s: ask as that user (with sudo, for root’s), or name a directory of your own with --root';
}

/**
 * The ids in which a regular expression matches anywhere, as with crun's --regex.
 *
 * @throws TsrunError when it is not a regular expression
 */
export function matchingIds(root: string, pattern: string): string[] {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern);
  } catch (error) {
    const { message } = error as Error;
    throw new TsrunError(`--regex: not a regular expression: ${message}`, {
      hint: 'a dot and a star match any id: .*',
    });
  }
  return listIds(root).filter((id) => expression.test(id));
}

/** Does not use mkdirSync's `recursive`: below /proc, where nothing can be made, Node tries forever. */
export function makeDirectories(path: string): void {
  if (isThere(path)) return;
  makeDirectories(dirname(path));
  try {
    mkdirSync(path, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
