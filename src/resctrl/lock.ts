import { openSync } from 'node:fs';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';

/** Runs `work` under the lock that all users of resctrl take (resctrl.rst, Locking). */
export function withResctrlLock(mount: string, work: () => void): void {
  const fd = openSync(mount, 'r');
  try {
    addon().lock(fd, true);
    work();
  } finally {
    closeQuietly(fd);
  }
}
