import { closeSync, openSync, statSync } from 'node:fs';
import t from 'tap';
import { deviceNumbers, isTerminal, mountOf } from '../../../../src/container/checkpoint/open-file.ts';
import { mountsOf } from '../../../../src/host/mount-info.ts';

/** As the C library's makedev(3), for numbers of up to 12 and 20 bits. */
const device = (major: number, minor: number) => (major << 8) | (minor & 0xff) | ((minor & ~0xff) << 12);
const character = (major: number, minor: number) => ({ rdev: device(major, minor), isCharacterDevice: () => true });

t.test('terminals are files that CRIU has a driver for', async (t) => {
  for (const [major, minor, what] of [
    [136, 7, 'pts/7'],
    [136, 300, 'pts/300'],
    [128, 0, 'a master'],
    [5, 0, 'tty'],
    [5, 1, 'console'],
    [5, 2, 'ptmx'],
    [4, 1, 'tty1'],
    [204, 64, 'ttyAMA0'],
    [188, 0, 'ttyUSB0'],
  ] as const) {
    t.equal(isTerminal(character(major, minor)), true, what);
  }
  for (const [major, minor, what] of [
    [4, 0, 'tty0'],
    [4, 64, 'ttyS0'],
    [1, 3, 'null'],
    [10, 229, 'fuse'],
    [137, 0, 'no slave of this kernel'],
  ] as const) {
    t.equal(isTerminal(character(major, minor)), false, what);
  }
  t.equal(isTerminal({ rdev: device(136, 0), isCharacterDevice: () => false }), false, 'a block device');
});

t.test('a real file’s numbers and its mount', async (t) => {
  t.strictSame(deviceNumbers(statSync('/dev/null').rdev), [1, 3]);
  const fd = openSync('/dev/null', 'r');
  const mount = mountOf(process.pid, fd);
  closeSync(fd);
  t.ok(mountsOf('self').some(({ id }) => id === mount));
  t.equal(mountOf(process.pid, fd), undefined, 'closed');
});
