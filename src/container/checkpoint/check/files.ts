import { readlinkSync, type Stats, statSync } from 'node:fs';
import { mountsOf } from '../../../host/mount-info.ts';
import { namesIn, textOf } from '../../../there.ts';
import { deviceNumbers, isTerminal, mountOf } from '../open-file.ts';
import type { FoundObstacle } from './obstacle.ts';
import { called, type Process } from './processes.ts';

/** Flags of the command line that tell CRIU how to handle files. */
export interface FileFlags {
  readonly shellJob: boolean;
  readonly fileLocks: boolean;
  readonly linkRemap: boolean;
}

/** An open file of a process. */
interface OpenFile {
  readonly process: Process;
  readonly fd: string;
  /** Where the link below /proc points. */
  readonly path: string;
  readonly status: Stats;
  readonly mounts: ReadonlySet<number>;
}

/** Files without a path that CRIU 4 can save. */
const known =
  /^(eventfd|eventpoll|fanotify|inotify|pidfd|signalfd|timerfd|bpf-map|\[(eventfd|eventpoll|fanotify|inotify|pidfd|signalfd|timerfd)\])$/;

/** Numbers from the kernel's Documentation/admin-guide/devices.txt. */
const majors = { memory: 1, misc: 10 } as const;
const tunMinor = 200;

/** Size in bytes up to which CRIU keeps a removed file in the images. */
const ghostLimit = 1024 * 1024;

export function fileObstacles(tree: readonly Process[], flags: FileFlags): FoundObstacle[] {
  return tree.flatMap((process) => openFiles(process).flatMap((file) => obstaclesOf(file, flags)));
}

function openFiles(process: Process): OpenFile[] {
  const names = namesIn(`/proc/${process.pid}/fd`);
  if (names.length === 0) return [];
  const mounts = new Set(mountsOf(process.pid).map(({ id }) => id));
  return names.flatMap((fd) => {
    try {
      const at = `/proc/${process.pid}/fd/${fd}`;
      return { process, fd, path: readlinkSync(at), status: statSync(at), mounts };
    } catch {
      // The process has closed it meanwhile.
      return [];
    }
  });
}

function obstaclesOf(file: OpenFile, flags: FileFlags): FoundObstacle[] {
  const { path, status } = file;
  if (path.startsWith('anon_inode:')) return anonymousFile(file, path.slice('anon_inode:'.length));
  if (status.isCharacterDevice() || status.isBlockDevice()) return device(file, flags);
  return [...removedFile(file, flags), ...lock(file, flags)];
}

function obstacle(open: OpenFile, rule: string, what: string, hint?: string): FoundObstacle {
  const { process, fd, path, status } = open;
  // All files without a path have the same inode.
  const file = path.startsWith('anon_inode:') ? undefined : `${status.dev}:${status.ino}`;
  return { rule, message: `${called(process)}, descriptor ${fd}: ${what}`, hint, pid: process.pid, file };
}

function anonymousFile(file: OpenFile, name: string): FoundObstacle[] {
  if (known.test(name)) return [];
  if (/^\[?io_uring\]?$/.test(name)) {
    const hint = 'have the program do without it (kernel.io_uring_disabled=2 makes most fall back), or end it first';
    return [obstacle(file, 'io_uring', 'CRIU cannot save io_uring', hint)];
  }
  return [obstacle(file, 'anonymous-file', `CRIU cannot save ${name}`, 'have the program close it')];
}

function device(file: OpenFile, { shellJob }: FileFlags): FoundObstacle[] {
  const { path, status, process, fd, mounts } = file;
  const [major, minor] = deviceNumbers(status.rdev);
  if (isTerminal(status)) {
    if (shellJob || mounts.has(mountOf(process.pid, fd) ?? -1)) return [];
    return [obstacle(file, 'terminal', `${path} is a terminal of the host's`, '--shell-job')];
  }
  const isSaved = major === majors.memory || (major === majors.misc && minor === tunMinor);
  if (status.isCharacterDevice() && isSaved) return [];
  const kind = status.isBlockDevice() ? 'block' : 'character';
  const what = `CRIU cannot save an open ${kind} device: ${path} (${major}:${minor})`;
  return [obstacle(file, 'device', what, 'have the program close it; for some GPUs CRIU has plugins')];
}

function removedFile(file: OpenFile, { linkRemap }: FileFlags): FoundObstacle[] {
  const { path, status } = file;
  if (!path.startsWith('/') || !path.endsWith(' (deleted)') || path.startsWith('/memfd:') || !status.isFile())
    return [];
  const name = path.slice(0, -' (deleted)'.length);
  if (status.nlink > 0) {
    if (linkRemap) return [];
    return [obstacle(file, 'removed-file', `${name} has been removed and has another name`, '--link-remap')];
  }
  if (status.size <= ghostLimit) return [];
  const hint = `\`ghost-limit ${status.size}\` in /etc/criu/tsrun.conf`;
  return [obstacle(file, 'removed-file', `${name} has been removed, and is too large for the images`, hint)];
}

function lock(file: OpenFile, { fileLocks }: FileFlags): FoundObstacle[] {
  if (fileLocks || !/^lock:/m.test(textOf(`/proc/${file.process.pid}/fdinfo/${file.fd}`))) return [];
  return [obstacle(file, 'file-lock', `${file.path} is locked`, '--file-locks')];
}
