/** Replaces node:os in the standalone executable. */
import { readFileSync } from './fs.ts';
import { host } from './host.ts';

export const constants = { errno: host.errnoNumbers() };

/** The kernel's release from uname(2). */
export function release(): string {
  return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trimEnd();
}
