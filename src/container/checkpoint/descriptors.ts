import { readlinkSync, statSync } from 'node:fs';
import { addon } from '../../addon.ts';
import { mountsOf } from '../../host/mount-info.ts';
import { isTerminal, mountOf } from './open-file.ts';

const stdio = [0, 1, 2] as const;

/**
 * Describes descriptors 0 to 2 of a process by CRIU's names for files from outside: `pipe:[INODE]`, `socket:[INODE]`,
 * and `file[MOUNT:INODE]` for a file on none of the container's mounts; any other by its path.
 */
export function describeStdio(pid: number): string[] {
  const mounts = new Set(mountsOf(pid).map(({ id }) => id));
  return stdio.map((fd) => describe(pid, fd, mounts));
}

function describe(pid: number, fd: number, mounts: ReadonlySet<number>): string {
  const at = `/proc/${pid}/fd/${fd}`;
  try {
    const [path, status, mount] = [readlinkSync(at), statSync(at), mountOf(pid, fd)];
    if (!path.startsWith('/') || path.startsWith('/memfd:')) return path;
    if (mount === undefined) return closed;
    // A terminal cannot be opened again by its inode: CRIU has its own flag for one (--shell-job).
    if (mounts.has(mount) || isTerminal(status)) return path;
    return `file[${mount.toString(16)}:${status.ino.toString(16)}]`;
  } catch {
    return closed;
  }
}

/** For a descriptor that the process has closed. */
const closed = '';

/** The descriptors that CRIU must be told of for a dump. */
export function externalFiles(descriptors: readonly string[]): string[] {
  return [...new Set(descriptors.filter((each) => each.startsWith('file[')))];
}

/**
 * The descriptors that take their places at restore.
 *
 * @param own descriptors 0 to 2 for the container
 */
export function inheritedFiles(
  descriptors: readonly string[],
  own: readonly number[] = stdio,
): { key: string; fd: number }[] {
  const outside = /^(pipe:|socket:|file)\[/;
  const found = stdio
    .map((fd) => ({ key: descriptors[fd] ?? '', fd: own[fd] ?? fd }))
    .filter(({ key }) => outside.test(key));
  // If stdout and stderr are the same file, CRIU counts them as one.
  return found.filter(({ key }, index) => found.findIndex((each) => each.key === key) === index);
}

/** Duplicates the descriptors, as CRIU uses these numbers for others. */
export function copiesOf(files: readonly { key: string; fd: number }[]): { key: string; fd: number }[] {
  return files.map(({ key, fd }) => ({ key, fd: addon().duplicate(fd) }));
}
