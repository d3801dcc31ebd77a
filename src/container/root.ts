import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addon } from '../addon.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import { isInitialUserNamespace } from '../host/facts.ts';
import { isThere } from '../there.ts';
import { isId } from './id.ts';

/**
 * --root when none is given: runc's rule with our name. Root of a user namespace of an ordinary user, as under rootless
 * podman, cannot write to /run; podman tells by XDG_RUNTIME_DIR and no USER.
 */
export function defaultRoot(uid = process.geteuid?.() ?? 0, initialUserNamespace = isInitialUserNamespace): string {
  const { XDG_RUNTIME_DIR: runtimeDir, USER: user } = process.env;
  if (runtimeDir === undefined || runtimeDir === '') return '/run/tsrun';
  if (uid === 0 && (user === 'root' || initialUserNamespace())) return '/run/tsrun';
  return join(runtimeDir, 'tsrun');
}

/** Compiled seccomp filters of all containers; ~ stands in no id, so that this can be no container's directory. */
export function filterCacheDirectory(root: string): string {
  return join(root, '.seccomp~');
}

/** Ids of all containers below root, sorted; an absent root holds none. */
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

/** What is below root, sorted: an absent one has nothing. */
export interface IdsBelow {
  /** Of directories of this user that have this file. */
  readonly having: readonly string[];
  /** Of directories of which that is not so, or cannot be seen. */
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

function unreadable(root: string, error: unknown): TsrunError {
  return new TsrunError(`cannot read ${root}: ${errorCode(error)}`, { hint: rootHint(errorCode(error)) });
}

/** An ordinary user who asks for root's containers, as they were made with sudo. */
function rootHint(code: string): string | undefined {
  if (code !== 'EACCES') return systemHint({ code });
  return 'they are another user’s: ask as that user (with sudo, for root’s), or name a directory of your own with --root';
}

/**
 * The ids that a regular expression matches anywhere, as crun's --regex has it.
 *
 * @throws TsrunError when it is not one
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

/** Not mkdirSync's `recursive`: below /proc, where nothing can be made, Node tries for ever. */
export function makeDirectories(path: string): void {
  if (isThere(path)) return;
  makeDirectories(dirname(path));
  try {
    mkdirSync(path, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
