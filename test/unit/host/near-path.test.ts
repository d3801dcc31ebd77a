import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { nearPath } from '../../../src/host/near-path.ts';

t.test('the nearest name beside a missing path', async (t) => {
  const at = t.testdir({ data: {}, 'config.json': '' });
  t.equal(nearPath(join(at, 'dta')), 'did you mean "data"?');
  t.equal(nearPath(join(at, 'config.jsn')), 'did you mean "config.json"?');
  t.equal(nearPath(join(at, 'srv')), undefined);
  t.equal(nearPath(join(at, 'none', 'dta')), undefined);
  t.equal(nearPath(join(at, 'config.json', 'dta')), undefined);
});

t.test('not the name itself, because then something else is wrong', async (t) => {
  const at = t.testdir();
  mkdirSync(join(at, 'target'));
  symlinkSync('/none', join(at, 'targe'));
  t.equal(nearPath(join(at, 'targe')), undefined);
});

t.test('not the next of a series, because that is another disk or another tenant', async (t) => {
  const at = t.testdir({ sda: '', data1: {}, nvme0n1: '', 'tenant-a': {} });
  for (const name of ['sdb', 'data2', 'nvme1n1', 'tenant-b']) t.equal(nearPath(join(at, name)), undefined, name);
});
