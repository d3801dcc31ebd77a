import t from 'tap';
import { isProcMasked, subordinateMappings } from '../../../src/template/rootless.ts';

const everything = '         0          0 4294967295\n';

t.test('subordinate IDs by uid and by name, one after the other', async (t) => {
  const table = 'other:1:5\nme:100000:65536\n# a comment\n1000:300000:10\n';
  t.strictSame(subordinateMappings(table, ['1000', 'me'], everything), [
    { containerID: 1, hostID: 100000, size: 65536 },
    { containerID: 65537, hostID: 300000, size: 10 },
  ]);
  t.strictSame(subordinateMappings(table, ['1001', ''], everything), []);
});

t.test('IDs that this user namespace lacks are left out', async (t) => {
  const map = '         0     100000      65536\n     70000     200000         10\n';
  t.strictSame(subordinateMappings('me:100000:65536\nme:70000:10\nme:70000:11\n', ['me'], map), [
    { containerID: 1, hostID: 70000, size: 10 },
  ]);
});

const proc = '25 30 0:23 / /proc rw,nosuid - proc proc rw';

t.test('a procfs is masked if something is mounted over a part of it', async (t) => {
  const lines = (...more: string[]) => `${[proc, ...more].join('\n')}\n`;
  t.equal(isProcMasked(lines()), false);
  t.equal(isProcMasked(lines('40 25 0:5 /null /proc/kcore rw - devtmpfs dev rw')), true);
  t.equal(isProcMasked(lines('40 25 0:23 /sys /proc/sys ro - proc proc rw')), true);
  t.equal(isProcMasked(lines('40 25 0:36 / /proc/sys/fs/binfmt_misc rw shared:3 - autofs systemd-1 rw')), false);
  t.equal(isProcMasked(lines('41 30 0:5 / /dev rw - devtmpfs dev rw')), false, 'another mount’s child');
});

t.test('one whole procfs is enough, but a part of one does not count', async (t) => {
  const masked = `${proc}\n40 25 0:5 /null /proc/kcore rw - devtmpfs dev rw\n`;
  t.equal(isProcMasked(`${masked}50 30 0:50 / /other rw - proc proc rw\n`), false);
  t.equal(isProcMasked(`${masked}50 30 0:23 /sys /other rw - proc proc rw\n`), true);
  t.equal(isProcMasked('30 1 8:1 / / rw - ext4 /dev/sda rw\n'), true);
});
