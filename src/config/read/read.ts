/** Reads config.json from a bundle. On the start-up path. */
import { constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { closeQuietly } from '../../close.ts';
import { errorCode, TsrunError } from '../../errors.ts';
import { parseSpecText } from './parse.ts';

/** In bytes. The largest configurations seen in practice, with thousands of mounts and seccomp rules, have 1 MiB. */
export const maxConfigSize = 16 * 1024 * 1024;

export interface BundleConfig {
  text: string;
  /** Path of config.json, for messages. */
  path: string;
  /** The parsed text, not validated. */
  value: unknown;
}

/**
 * Reads and parses the config.json of a bundle, or another file instead.
 *
 * @throws TsrunError when it is missing (in runc's words, which callers match), not a regular file, unreadable, too
 *   large, not UTF-8 or not JSON
 */
export function readBundleConfig(bundleDir: string, file?: string): BundleConfig {
  const path = file ?? join(bundleDir, 'config.json');
  const text = decode(readRegularFile(bundleDir, path), path);
  return { text, path, value: parseSpecText(text, path) };
}

/**
 * Reads a file that the command line names, with the same guards as config.json: a device such as /dev/zero has no end,
 * and a fifo may never have a writer. A descriptor that the caller has opened is read to its end, whatever it is: `-`,
 * /dev/stdin, or the /dev/fd/63 of a shell's `<(…)`.
 *
 * @param option the option's name, for messages
 * @throws TsrunError when it cannot be read, or is larger than a config.json may be
 */
export function readNamedFile(file: string, option: string): string {
  const own = ownDescriptor(file);
  const name = file === '-' ? 'stdin' : file;
  let fd = own;
  try {
    fd ??= openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(fd);
    if (own === undefined && !stat.isFile()) throw new TsrunError(`${option}: ${name} is not a regular file`);
    return decode(readAll(fd, stat.isFile() ? stat.size : 0, name), name);
  } catch (error) {
    if (error instanceof TsrunError) throw error;
    throw new TsrunError(`${option}: cannot read ${name}: ${errorCode(error)}`, { cause: error });
  } finally {
    if (own === undefined && fd !== undefined) closeQuietly(fd);
  }
}

function ownDescriptor(file: string): number | undefined {
  if (file === '-' || file === '/dev/stdin') return 0;
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(file)?.[1];
  return number === undefined ? undefined : Number(number);
}

function readRegularFile(bundleDir: string, path: string): Buffer {
  const fd = open(bundleDir, path);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new TsrunError(`${path} is not a regular file`);
    return readAll(fd, stat.size, path);
  } catch (error) {
    if (error instanceof TsrunError) throw error;
    throw new TsrunError(`cannot read ${path}: ${reason(error)}`, { cause: error });
  } finally {
    closeQuietly(fd);
  }
}

function open(bundleDir: string, path: string): number {
  try {
    // Without O_NONBLOCK, opening a fifo would wait for a writer.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw notFound(bundleDir, path);
    throw new TsrunError(`cannot open ${path}: ${reason(error)}`, { cause: error });
  }
}

/**
 * The first words are runc's, which callers match. The kernel's words for ENOENT are avoided: podman would conclude
 * from them that the container's program is missing.
 */
function notFound(bundleDir: string, path: string): TsrunError {
  if (path !== join(bundleDir, 'config.json')) return new TsrunError(`JSON specification file ${path} not found`);
  const message = 'JSON specification file config.json not found';
  const found = statIfThere(bundleDir);
  if (found === undefined) return new TsrunError(`${message}: there is no bundle directory ${bundleDir}`);
  if (!found.isDirectory()) {
    return new TsrunError(`${message}: --bundle is a directory, and ${bundleDir} a file`, {
      hint: `--bundle ${dirname(bundleDir)}; or --config with the file, and --bundle with the directory of its root filesystem`,
    });
  }
  return new TsrunError(`${message} in bundle ${bundleDir}`, {
    hint: '`tsrun spec` writes one; --bundle names another directory',
  });
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Reads to the end of the file, which may be longer than its stated size, but never more than a byte over the limit.
 */
function readAll(fd: number, size: number, path: string): Buffer {
  if (size > maxConfigSize) throw tooLarge(path, `${size} bytes`);
  let buffer = Buffer.allocUnsafe(size + 1);
  for (let length = 0; ; ) {
    const count = readSync(fd, buffer, length, buffer.length - length, null);
    length += count;
    if (count === 0) return buffer.subarray(0, length);
    if (length > maxConfigSize) throw tooLarge(path, 'more');
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length + 4096, maxConfigSize + 1));
  }
}

function tooLarge(path: string, size: string): TsrunError {
  return new TsrunError(`${path} is too large: at most ${maxConfigSize} bytes are read, it has ${size}`);
}

function decode(bytes: Buffer, path: string): string {
  const text = bytes.toString('utf8');
  // Only if the text has replacement characters can the bytes have been invalid; it may also simply contain them.
  if (!text.includes('\uFFFD')) return text;
  const encoded = Buffer.from(text);
  if (encoded.equals(bytes)) return text;
  const offset = encoded.findIndex((byte, index) => byte !== bytes[index]);
  throw new TsrunError(`${path}: not UTF-8: invalid byte at offset ${offset}`, {
    hint: 'save the file as UTF-8',
  });
}

function reason(error: unknown): string {
  if (errorCode(error) === 'EACCES') return 'permission denied';
  return (error as Error).message;
}
