/**
 * Looking for what may not be there. These errors alone say that it is not: what could not be looked at may well be there,
 * and whoever takes it for absent removes what is in use.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** Whether the error of a look-up by path says that there is nothing. */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Whether the error of a look-up below /proc/PID says that there is no such process; ESRCH is read(2)'s word for it. */
export function isProcessGone(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ESRCH';
}

/** @throws the error of a look-up that failed */
export function isThere(path: string): boolean {
  try {
    // A symbolic link to nothing is nothing.
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/**
 * The text of a file, undefined when it is not there.
 *
 * @throws the error of another failure
 */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** For those who only show what there is: what cannot be read, or is gone meanwhile, says nothing. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** As textOf, the names in a directory. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
