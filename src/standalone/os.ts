/** Stands in for node:os in the standalone executable. */
import { readFileSync } from './fs.ts';
import { host } from './host.ts';

export const constants = { errno: host.errnoNumbers() };

/** The kernel's, as uname(2) gives it. */
export function release(): string {
  return readFileSync('/proc/sys/kernel/osrelease', 'utf8').trimEnd();
}
