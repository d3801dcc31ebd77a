import { constants } from 'node:os';

/**
 * `EPERM (Operation not permitted)`. ENOENT comes without its usual words, because engines conclude from them that a
 * program is missing.
 */
export function errnoWords(error: number): string {
  const name = Object.entries(constants.errno).find(([, number]) => number === error)?.[0] ?? `errno ${error}`;
  const words = errnoTexts[name];
  return words === undefined ? name : `${name} (${words})`;
}

const errnoTexts: Readonly<Record<string, string>> = {
  EPERM: 'Operation not permitted',
  EAGAIN: 'Resource temporarily unavailable',
  ENOENT: 'it is not there',
  EACCES: 'Permission denied',
  E2BIG: 'Argument list too long',
  EEXIST: 'something else is there already',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ELOOP: 'a symbolic link stands in the way',
  ENODEV: 'No such device or filesystem type',
  ENOSPC: 'No space left',
  EROFS: 'Read-only filesystem',
  EBUSY: 'Device or resource busy',
  EXDEV: 'it leads out of the root filesystem',
  ENOMEM: 'Out of memory',
  ENOSYS: 'this kernel has no such call',
  EDQUOT: 'Quota exceeded',
};
