import { fstatSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { addon } from '../../addon.ts';
import { closeQuietly } from '../../close.ts';
import { errorCode, systemHint, TsrunError } from '../../errors.ts';
import { writeWhole } from '../../write.ts';

/** How often to try again when the name of the temporary file is taken. */
const maxAttempts = 16;

interface PidFile {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
}

/**
 * Writes the pid in decimal, without a newline (callers parse the bytes). It goes through a temporary file in the same
 * directory, so a reader never sees half of it. The directory may be one that others write to, such as /tmp: none of
 * their links is followed, and only the file made here is written to or removed. Returns the undo.
 */
export function writePidFile(path: string, pid: number): () => void {
  try {
    const file = makeTemporary(path, String(pid));
    moveTo(path, file);
    return () => removeIfSame({ ...file, path });
  } catch (error) {
    throw new TsrunError(`--pid-file: cannot write the pid file ${path}: ${(error as NodeJS.ErrnoException).code}`, {
      hint: pidFileHint(error),
    });
  }
}

export function pidFileHint(error: unknown): string | undefined {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'its directory must exist';
    case 'EISDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return 'it must not be a directory itself';
    default:
      return systemHint(error);
  }
}

/**
 * Makes the file under a name that nobody can have taken on purpose. O_EXCL (flag wx) makes a file and never opens an
 * existing one.
 */
function makeTemporary(path: string, text: string): PidFile {
  for (let attempt = 1; ; attempt++) {
    const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${addon().monotonicTime()}`);
    try {
      return fill(openSync(temporary, 'wx', 0o644), temporary, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === maxAttempts) throw error;
    }
  }
}

function fill(fd: number, path: string, text: string): PidFile {
  try {
    const { dev, ino } = fstatSync(fd);
    const file = { path, dev, ino };
    try {
      writeWhole(fd, text);
    } catch (error) {
      removeIfSame(file);
      throw error;
    }
    return file;
  } finally {
    closeQuietly(fd);
  }
}

function moveTo(path: string, file: PidFile): void {
  try {
    renameSync(file.path, path);
  } catch (error) {
    removeIfSame(file);
    throw error;
  }
}

/** Removes the file only if it is still the same: it may be another process's by now. */
function removeIfSame({ path, dev, ino }: PidFile): void {
  try {
    const now = lstatSync(path);
    if (now.dev === dev && now.ino === ino) unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
