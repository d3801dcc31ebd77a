import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { addon } from '../../addon.ts';
import { mountsOf } from '../../host/mount-info.ts';

const stdio = [0, 1, 2] as const;

/**
 * What descriptors 0 to 2 of a process are, in the names that CRIU has for what comes from outside: `pipe:[INODE]`,
 * `socket:[INODE]`, `file[MOUNT:INODE]` for a file that no mount of the container has; else their path.
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
    // It has closed it.
    return '';
  }
  if (!path.startsWith('/')) return path;
  const mount = Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]);
  if (mounts.has(mount) || path.startsWith('/memfd:')) return path;
  // A terminal is not opened again by its inode: CRIU has a flag of its own for it (--shell-job).
  const { ino, isTerminal } = inspect(`/proc/${pid}/fd/${fd}`);
  return isTerminal ? path : `file[${mount.toString(16)}:${ino.toString(16)}]`;
}

function inspect(path: string): { ino: number; isTerminal: boolean } {
  const { ino } = statSync(path);
  return { ino, isTerminal: /^\/dev\/(pts\/\d+|tty\d*|console)$/.test(readlinkSync(path)) };
}

/** Those that a dump must be told of. */
export function externalFiles(descriptors: readonly string[]): string[] {
  return [...new Set(descriptors.filter((each) => each.startsWith('file[')))];
}

/** What takes their places at restore: this command's own. */
export function inheritedFiles(descriptors: readonly string[]): { key: string; fd: number }[] {
  const outside = /^(pipe:|socket:|file)\[/;
  const found = stdio.map((fd) => ({ key: descriptors[fd] ?? '', fd })).filter(({ key }) => outside.test(key));
  // One file for stdout and stderr is one to CRIU.
  return found.filter(({ key }, index) => found.findIndex((each) => each.key === key) === index);
}

/** Copies of them, as CRIU has others by these numbers. */
export function copiesOf(files: readonly { key: string; fd: number }[]): { key: string; fd: number }[] {
  return files.map(({ key, fd }) => ({ key, fd: addon().duplicate(fd) }));
}
