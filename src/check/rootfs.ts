/** Paths inside a root filesystem that nobody has entered: resolved by hand, symbolic links counted from its root. */
import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** As the kernel (path_resolution(7)). */
const maxLinks = 40;

/**
 * The path of the host behind a path of the container.
 *
 * @param rootfs absolute path of the root filesystem
 * @param path absolute path in the container
 * @returns the container's own path with all links resolved, and the host's; undefined when nothing is there
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

/** The link's target; null for what is no link, undefined for nothing. */
function linkAt(path: string): string | null | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return undefined;
  }
}
