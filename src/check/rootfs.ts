/** Resolves paths inside a root filesystem without entering it; symbolic links start at its root. */
import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The same limit as the kernel's (path_resolution(7)). */
const maxLinks = 40;

/**
 * Finds the host's path for a path of the container.
 *
 * @param rootfs absolute path of the root filesystem
 * @param path absolute path in the container
 * @returns the container's own path with all links resolved, and the host's; undefined if nothing is there
 */
export function resolveInRootfs(rootfs: string, path: string): { inside: string; outside: string } | undefined {
  let links = 0;
  let at: string[] = [];
  const rest = path.split('/');
  while (rest.length > 0) {
    const name = rest.shift();
    if (name === '' || name === '.' || name === undefined) continue;
    if (name === '..') {
      at.pop();
      continue;
    }
    const target = linkAt(join(rootfs, ...at, name));
    if (target === undefined) return undefined;
    if (target === null) at.push(name);
    else {
      if (++links > maxLinks) return undefined;
      if (target.startsWith('/')) at = [];
      rest.unshift(...target.split('/'));
    }
  }
  return { inside: `/${at.join('/')}`, outside: join(rootfs, ...at) };
}

/** The link's target; null for something else, undefined for nothing. */
function linkAt(path: string): string | null | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return undefined;
  }
}
