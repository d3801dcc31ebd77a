import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { addon } from '../../addon.ts';
import { mountsOf } from '../../host/mount-info.ts';

const stdio = [0, 1, 2] as const;

/**
 * Describes descriptors 0 to 2 of a process by CRIU's names for files from outside: `pipe:[INODE]`, `socket:[INODE]`,
 * and `file[MOUNT:INODE]` for a file on none of the container's mounts; any other by its path.
 */
export function describeStdio(pid: number): string[] {
  const mounts = new Set(mountsOf(pid).map(({ id }) => id));
  return stdio.map((fd) => describe(pid, fd, mounts));
}

function describe(pid: number, fd: number, mounts: Set<number>): string {
  let path: string;
  try {
    path = readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    // The process has closed it.
    return '';
  }
  if (!path.startsWith('/')) return path;
  const mount = Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]);
  if (mounts.has(mount) || path.startsWith('/memfd:')) return path;
  // A terminal cannot be opened again by its inode: CRIU has its own flag for one (--shell-job).
  const { ino, isTerminal } = inspect(`/proc/${pid}/fd/${fd}`);
  return isTerminal ? path : `file[${mount.toString(16)}:${ino.toString(16)}]`;
}

function inspect(path: string): { ino: number; isTerminal: boolean } {
  const { ino } = statSync(path);
  return { ino, isTerminal: /^\/dev\/(pts\/\d+|tty\d*|console)$/.test(readlinkSync(path)) };
}

/** The descriptors that CRIU must be told of for a dump. */
export function externalFiles(descriptors: readonly string[]): string[] {
  return [...new Set(descriptors.filter((each) => each.startsWith('file[')))];
}

/** This command's own descriptors, which take their places at restore. */
export function inheritedFiles(descriptors: readonly string[]): { key: string; fd: number }[] {
  const outside = /^(pipe:|socket:|file)\[/;
  const found = stdio.map((fd) => ({ key: descriptors[fd] ?? '', fd })).filter(({ key }) => outside.test(key));
  // If stdout and stderr are the same file, CRIU counts them as one.
  return found.filter(({ key }, index) => found.findIndex((each) => each.key === key) === index);
}

/** Duplicates the descriptors, as CRIU uses these numbers for others. */
export function copiesOf(files: readonly { key: string; fd: number }[]): { key: string; fd: number }[] {
  return files.map(({ key, fd }) => ({ key, fd: addon().duplicate(fd) }));
}
