import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode, TsrunError } from '../errors.ts';
import { isThere, readIfThere } from '../there.ts';
import { writeAtOnce } from '../write.ts';
import { ownPids } from './processes.ts';

interface Refusal {
  readonly directory: string;
  readonly controller: string;
  readonly code: string;
}

/**
 * Enables every available controller for the children of each cgroup above `path`, from the top down (cgroup-v2.rst,
 * Controlling Controllers). Limits need them, and so do accounting and any program that makes cgroups below.
 *
 * @param required controllers whose absence is an error; other controllers may be absent
 * @param limitOf the property that needs a controller
 * @throws TsrunError that names the cgroup in the way, and the reason
 */
export function enableControllers(
  path: string,
  required: readonly string[],
  limitOf: (controller: string) => string | undefined,
): void {
  const above = cgroupsAbove(path);
  const refusals = hasAll(path, above[0]) ? [] : above.flatMap(enableAllFor);
  const own = required.length === 0 ? [] : words(path, 'cgroup.controllers');
  const missing = required.find((controller) => !own.includes(controller));
  if (missing === undefined) return;
  const refusal = refusals.find(({ controller }) => controller === missing);
  if (refusal === undefined) {
    throw new TsrunError(`controller ${missing} is not available for the cgroup ${path}`, {
      code: 'ENOCONTROLLER',
      pointer: limitOf(missing),
      hint: `whoever made ${above[0]} has to delegate it`,
    });
  }
  throw new TsrunError(`controller ${missing} cannot be enabled in ${refusal.directory}: ${reasonOf(refusal)}`, {
    code: 'ENOCONTROLLER',
    pointer: limitOf(missing),
    hint:
      refusal.code === 'EBUSY'
        ? `move them to a cgroup below (mkdir ${refusal.directory}/init), or choose another place with /linux/cgroupsPath`
        : 'choose another place with /linux/cgroupsPath',
  });
}

/** Whether this cgroup has all controllers of the highest; then all between them have them, too. */
function hasAll(path: string, highest: string | undefined): boolean {
  if (highest === undefined) return false;
  const own = words(path, 'cgroup.controllers');
  return words(highest, 'cgroup.controllers').every((controller) => own.includes(controller));
}

/** Highest first; the mount point is included. */
function cgroupsAbove(path: string): string[] {
  const above: string[] = [];
  for (let at = dirname(path); isThere(join(at, 'cgroup.subtree_control')); at = dirname(at)) above.unshift(at);
  return above;
}

/** Enables all in one write. If one is refused the whole write fails, and they are tried one by one. */
function enableAllFor(directory: string): Refusal[] {
  const enabled = words(directory, 'cgroup.subtree_control');
  const missing = words(directory, 'cgroup.controllers').filter((controller) => !enabled.includes(controller));
  if (missing.length === 0) return [];
  // For some controllers the kernel would allow it and make the cgroup threaded: useless here, and not ours to change.
  if (isLeaf(directory)) return missing.map((controller) => ({ directory, controller, code: 'EBUSY' }));
  if (enable(directory, missing) === undefined) return [];
  return missing.flatMap((controller) => {
    const code = enable(directory, [controller]);
    return code === undefined ? [] : [{ directory, controller, code }];
  });
}

/** Whether it has its own processes. Except in the hierarchy's root, they rule out controllers for its children. */
function isLeaf(directory: string): boolean {
  return isThere(join(directory, 'cgroup.type')) && cgroupType(directory) === 'domain' && ownPids(directory).length > 0;
}

/** Returns the error's code; undefined on success. */
function enable(directory: string, controllers: readonly string[]): string | undefined {
  try {
    writeAtOnce(join(directory, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}

function reasonOf({ directory, code }: Refusal): string {
  switch (code) {
    case 'EBUSY':
      return 'EBUSY: it has processes of its own, and only leaves may (cgroup-v2.rst, No Internal Process Constraint)';
    case 'EOPNOTSUPP':
      return `EOPNOTSUPP: it is ${cgroupType(directory)}, and below a threaded cgroup only threads are controlled`;
    case 'EACCES':
    case 'EPERM':
      return `${code}: it is not delegated to this user`;
    case 'ENOENT':
      return 'ENOENT: the cgroup above does not pass it on';
    default:
      return code;
  }
}

/** cgroup.type: domain, domain threaded, domain invalid or threaded. The root lacks the file and is a domain. */
export function cgroupType(path: string): string {
  return readIfThere(join(path, 'cgroup.type'))?.trim() ?? 'domain';
}

/** Controllers that a cgroup passes on to those below it. */
export function enabledControllers(path: string): string[] {
  return words(path, 'cgroup.subtree_control');
}

function words(directory: string, file: string): string[] {
  return readFileSync(join(directory, file), 'utf8').split(/\s+/).filter(Boolean);
}
