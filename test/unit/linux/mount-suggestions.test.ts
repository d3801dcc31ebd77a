import t from 'tap';
import { meantFilesystem, meantOption } from '../../../src/linux/mount-suggestions.ts';

t.test('options, with and without a value', async (t) => {
  t.equal(meantOption('siez=1m', 'tmpfs'), 'did you mean "size"?');
  t.equal(meantOption('siez=1m', 'proc'), undefined);
  t.equal(meantOption('nosiud', 'proc'), 'did you mean "nosuid"?');
});

t.test('filesystems that the kernel has', async (t) => {
  const known = 'nodev\ttmpfs\nnodev\tproc\n\text4\n';
  t.equal(meantFilesystem('tmpsf', known), 'did you mean "tmpfs"?');
  t.equal(meantFilesystem('etx4', known), 'did you mean "ext4"?');
  t.equal(meantFilesystem('nodve', known), undefined);
  t.equal(meantFilesystem('tmpsf', ''), undefined);
});
