/**
 * Looks for files that may not exist. Only these errors mean that a file does not exist: one that could not be looked
 * at may well exist, and code that takes it for absent would remove something in use.
 */
import { readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** Whether an error of a look-up by path means that nothing is there. */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Whether an error of a look-up below /proc/PID means that the process does not exist; read(2) says ESRCH then. */
export function isProcessGone(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ESRCH';
}

/** @throws the error of a look-up that failed */
export function isThere(path: string): boolean {
  try {
    // A symbolic link to nothing counts as absent.
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/**
 * The text of a file; undefined if the file does not exist.
 *
 * @throws the error of any other failure
 */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** @throws the error of any other failure than that the file does not exist */
export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

/** The text of a file, for code that only shows what there is: empty if it cannot be read, or is gone. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The names in a directory, in the same way as textOf. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
