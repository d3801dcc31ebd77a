import { errorCode } from '../errors.ts';

/**
 * Whether a file of a cgroup was unavailable because the cgroup is gone: ENOENT on the way to it, ENODEV from a file
 * that was opened just before. systemd removes a scope as soon as its last process has ended, whatever we are doing.
 */
export function isGone(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENODEV';
}
