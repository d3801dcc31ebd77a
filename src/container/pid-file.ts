import { renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TsrunError } from '../errors.ts';

/**
 * Writes the pid in decimal, without a newline (callers parse the bytes), through a temporary file in the same
 * directory, so that a reader never sees half of it. Returns the undo.
 */
export function writePidFile(path: string, pid: number): () => void {
  const temporary = join(dirname(path), `.${basename(path)}`);
  try {
    // A file of ours, and not one that a link in a directory of others leads to.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, String(pid), { mode: 0o644, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new TsrunError(`cannot write the pid file ${path}: ${(error as NodeJS.ErrnoException).code}`, {
      hint: 'does its directory exist?',
    });
  }
  return () => unlinkSync(path);
}
