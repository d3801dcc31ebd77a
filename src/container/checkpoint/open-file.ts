/** What CRIU asks about an open file, asked in the same way. */
import type { Stats } from 'node:fs';
import { textOf } from '../../there.ts';

/** The id of the mount that the file is on (proc_pid_fdinfo(5)); undefined if the process has closed it. */
export function mountOf(pid: number, fd: number | string): number | undefined {
  const [, id] = /^mnt_id:\s*(\d+)$/m.exec(textOf(`/proc/${pid}/fdinfo/${fd}`)) ?? [];
  return id === undefined ? undefined : Number(id);
}

/** Splits a device number as the C library's gnu_dev_major and gnu_dev_minor do. */
export function deviceNumbers(device: number): [major: number, minor: number] {
  const high = Math.floor(device / 2 ** 32);
  const low = device >>> 0;
  return [((high & ~0xfff) | ((low >>> 8) & 0xfff)) >>> 0, (low & 0xff) | ((low >>> 12) & ~0xff)];
}

/** Minor numbers of the virtual consoles, between tty0, which is the current one, and the serial ports from ttyS0 on. */
const consoles = { first: 1, last: 63 };

/**
 * Whether CRIU takes it for a terminal (get_tty_driver in its tty.c): by number, as a path may be any. The numbers are
 * those of the kernel's devices.txt.
 */
export function isTerminal(status: Pick<Stats, 'rdev' | 'isCharacterDevice'>): boolean {
  if (!status.isCharacterDevice()) return false;
  const [major, minor] = deviceNumbers(status.rdev);
  switch (major) {
    case 4:
      return minor >= consoles.first && minor <= consoles.last;
    case 5:
      // tty, console, ptmx.
      return minor <= 2;
    case 188:
    case 204:
      // ttyUSB, ttyAMA.
      return true;
    default:
      // Masters, and the slaves below /dev/pts.
      return major >= 128 && major <= 136;
  }
}
