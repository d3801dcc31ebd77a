/**
 * Replaces node:fs in the standalone executable (scripts/lib/standalone.mjs) with the part that commands use, under the
 * same names and with the same meaning, on top of the addon. If the sources import anything else from node:fs, that
 * build fails. Errors have `code`, `errno` and `syscall` as in Node.
 */
import { addon, type FileStatus } from '../addon.ts';

/**
 * Flags of open(2) and bits of st_mode. They are the same on every architecture that Node runs on, except O_DIRECTORY
 * and O_NOFOLLOW.
 */
export const constants = {
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DIRECTORY: process.arch === 'arm64' ? 0o40000 : 0o200000,
  O_NOFOLLOW: process.arch === 'arm64' ? 0o100000 : 0o400000,
} as const;

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants;

const openFlags = {
  r: O_RDONLY,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
} as const;

export type Stats = FileStatus & {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
};

export interface DirectoryEntry {
  name: string;
  isDirectory(): boolean;
  isFile(): boolean;
}

export interface WriteOptions {
  mode?: number;
  flag?: keyof typeof openFlags;
}

export function readFileSync(path: string | number): Buffer;
export function readFileSync(path: string | number, encoding: 'utf8' | 'latin1'): string;
export function readFileSync(path: string | number, encoding?: 'utf8' | 'latin1'): Buffer | string {
  const bytes = addon().readFile(path);
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

export function writeFileSync(path: string, data: string | Uint8Array, options: WriteOptions = {}): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  addon().writeFile(path, bytes, openFlags[options.flag ?? 'w'], options.mode ?? 0o666);
}

export function appendFileSync(path: string, data: string, options: { mode?: number } = {}): void {
  writeFileSync(path, data, { ...options, flag: 'a' });
}

export function openSync(path: string, flags: number | keyof typeof openFlags, mode = 0o666): number {
  return addon().open(path, typeof flags === 'number' ? flags : openFlags[flags], mode);
}

export function closeSync(fd: number): void {
  addon().close(fd);
}

/**
 * Reads at most `length` bytes into `buffer` from `offset` on, at `position` of the file or (null) at its present
 * position.
 */
export function readSync(fd: number, buffer: Buffer, offset: number, length: number, position: number | null): number {
  return addon().readAt(fd, buffer.subarray(offset, offset + length), position ?? -1);
}

/** Writes at most `length` bytes from `offset` on, at `position` of the file or (null) at its present position. */
export function writeSync(
  fd: number,
  data: Uint8Array,
  offset = 0,
  length = data.length - offset,
  position: number | null = null,
): number {
  return addon().writeAt(fd, data.subarray(offset, offset + length), position ?? -1);
}

export function ftruncateSync(fd: number, size = 0): void {
  addon().truncate(fd, size);
}

export function fsyncSync(fd: number): void {
  addon().sync(fd);
}

/** With `recursive`, missing directories above it are made, too, and an existing one is no error. */
export function mkdirSync(path: string, { recursive = false, mode = 0o777 } = {}): void {
  if (!recursive) return addon().makeDirectory(path, mode);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const slash = path.lastIndexOf('/');
  if (slash > 0) mkdirSync(path.slice(0, slash), { recursive, mode });
  try {
    addon().makeDirectory(path, mode);
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (!exists || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

export function rmdirSync(path: string): void {
  addon().removeDirectory(path);
}

export function unlinkSync(path: string): void {
  addon().unlink(path);
}

export function renameSync(from: string, to: string): void {
  addon().rename(from, to);
}

export function chownSync(path: string, uid: number, gid: number): void {
  addon().chown(path, uid, gid);
}

/**
 * Removes a directory and everything in it; symbolic links are removed, not followed. A missing directory is no error.
 */
export function rmSync(path: string, options: { recursive: true; force: true }): void {
  // The types demand it, but callers compile against those of node:fs, where `recursive` must be asked for, too.
  if (options.recursive !== true) throw new TypeError('rmSync: recursive only');
  const status = addon().stat(path, false);
  if (status === null) return;
  if (!withMethods(status).isDirectory()) return ignoreMissing(() => unlinkSync(path));
  for (const name of readdirSync(path)) rmSync(`${path}/${name}`, options);
  ignoreMissing(() => rmdirSync(path));
}

/** The link's text may be any text; it need not be a path. */
export function symlinkSync(target: string, path: string): void {
  addon().symlink(target, path);
}

export function readlinkSync(path: string): string {
  return addon().readLink(path);
}

export function statSync(path: string): Stats;
export function statSync(path: string, options: { throwIfNoEntry: false }): Stats | undefined;
export function statSync(path: string, options?: { throwIfNoEntry: false }): Stats | undefined {
  const status = addon().stat(path, true);
  if (status !== null) return withMethods(status);
  if (options !== undefined) return undefined;
  throw missing(path);
}

export function lstatSync(path: string): Stats {
  const status = addon().stat(path, false);
  if (status === null) throw missing(path);
  return withMethods(status);
}

export function fstatSync(fd: number): Stats {
  return withMethods(addon().stat(fd, true) as FileStatus);
}

export function statfsSync(path: string): { type: number } {
  return { type: addon().filesystemType(path) };
}

export function readdirSync(path: string): string[];
export function readdirSync(path: string, options: { withFileTypes: true }): DirectoryEntry[];
export function readdirSync(path: string, options?: { withFileTypes: true }): string[] | DirectoryEntry[] {
  const flat = addon().readDirectory(path);
  const entries: DirectoryEntry[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const type = flat[i + 1];
    entries.push({ name: flat[i] ?? '', isDirectory: () => type === 'directory', isFile: () => type === 'file' });
  }
  return options === undefined ? entries.map(({ name }) => name) : entries;
}

function withMethods(status: FileStatus): Stats {
  const type = status.mode & 0o170000;
  return {
    ...status,
    isFile: () => type === 0o100000,
    isDirectory: () => type === 0o040000,
    isSymbolicLink: () => type === 0o120000,
    isCharacterDevice: () => type === 0o020000,
    isBlockDevice: () => type === 0o060000,
  };
}

function missing(path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`ENOENT: no such file or directory, stat '${path}'`), { code: 'ENOENT', errno: 2 });
}

function ignoreMissing(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
