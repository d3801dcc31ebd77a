/**
 * Compiled filters on disk. Compiling a profile of docker's size takes 13 ms, finding it here a fraction of one.
 *
 * A file holds the whole key beside the program, so nothing depends on the name: if two keys have the same checksum,
 * one of them only misses. The file must have been written by its owner alone, and a checksum detects damage; a file
 * with any fault is not used.
 */
import {
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import type { CompiledFilter } from './compile.ts';

/** The first line of a file, after the checksum. */
interface Header {
  /** Length in bytes. */
  key: number;
  /** See CompiledFilter. */
  unknown: readonly string[];
}

/** How many files are kept: as many profiles as a large host has, in less than 2 MB. */
const maxFiles = 128;
/** In bytes; a filter has at most 32 KiB, the rest is its key. */
const maxFileSize = 16 * 1024 * 1024;
const checksumLength = 16;

export class FilterCache {
  private readonly directory: string;

  /** @param directory made at the first write, for its owner only */
  constructor(directory: string) {
    this.directory = directory;
  }

  /** The filter stored under the key; undefined if there is none to be trusted. */
  find(key: string): CompiledFilter | undefined {
    const bytes = Buffer.from(key);
    try {
      return readEntry(this.pathOf(bytes), bytes);
    } catch {
      // A file that cannot be read counts as missing.
      return undefined;
    }
  }

  /** @throws an error of node:fs; the filter can be used even then */
  store(key: string, filter: CompiledFilter): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    if (!isOwners(lstatSync(this.directory), 'directory')) return;
    this.prune();
    const bytes = Buffer.from(key);
    const path = this.pathOf(bytes);
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, entryOf(bytes, filter), { mode: 0o600 });
    renameSync(temporary, path);
  }

  private pathOf(key: Buffer): string {
    return join(this.directory, addon().checksum(key));
  }

  /** Removes the oldest files to make room. */
  private prune(): void {
    const names = readdirSync(this.directory);
    if (names.length < maxFiles) return;
    const files = names.map((name) => join(this.directory, name)).map((path) => ({ path, age: ageOf(path) }));
    files.sort((a, b) => b.age - a.age);
    for (const { path } of files.slice(0, names.length - maxFiles + 1)) unlinkSync(path);
  }
}

function ageOf(path: string): number {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

function readEntry(path: string, key: Buffer): CompiledFilter | undefined {
  const bytes = readTrusted(path);
  if (bytes === undefined) return undefined;
  const rest = bytes.subarray(checksumLength);
  if (bytes.toString('latin1', 0, checksumLength) !== addon().checksum(rest)) return undefined;
  const end = rest.indexOf(0x0a) + 1;
  const header = JSON.parse(rest.toString('utf8', 0, end)) as Header;
  const isSame = rest.subarray(end, end + header.key).equals(key);
  return isSame ? { program: rest.subarray(end + header.key), unknown: header.unknown } : undefined;
}

/** Reads what the owner wrote, or returns undefined. Not by readFileSync, whose first call takes ten times as long. */
function readTrusted(path: string): Buffer | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!isOwners(stat, 'file') || stat.size > maxFileSize) return undefined;
    const bytes = Buffer.allocUnsafe(stat.size);
    return readSync(fd, bytes, 0, stat.size, 0) === stat.size ? bytes : undefined;
  } finally {
    closeQuietly(fd);
  }
}

function entryOf(key: Buffer, { program, unknown }: CompiledFilter): Buffer {
  const header: Header = { key: key.length, unknown };
  const rest = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), key, program]);
  return Buffer.concat([Buffer.from(addon().checksum(rest)), rest]);
}

/** Whether it belongs to this user and no other can write or read it. */
function isOwners(stat: Stats, kind: 'directory' | 'file'): boolean {
  const isKind = kind === 'directory' ? stat.isDirectory() : stat.isFile();
  return isKind && stat.uid === process.geteuid?.() && (stat.mode & 0o077) === 0;
}
