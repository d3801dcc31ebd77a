import t from 'tap';
import { capabilityNames } from '../../src/linux/capabilities.ts';
import { didYouMean, nearest } from '../../src/suggest.ts';

t.test('a common beginning does not make words alike', async (t) => {
  const actions = ['SCMP_ACT_KILL', 'SCMP_ACT_LOG', 'SCMP_ACT_ERRNO'];
  t.equal(nearest('SCMP_ACT_DENY', actions), undefined);
  t.equal(nearest('SCMP_ACT_ERNO', actions), 'SCMP_ACT_ERRNO');
});

t.test('the nearest word', async (t) => {
  const near = (word: string) => nearest(word, capabilityNames);
  t.equal(near('CAP_NET_ADMIM'), 'CAP_NET_ADMIN', 'a letter replaced');
  t.equal(near('CAP_CHWON'), 'CAP_CHOWN', 'two letters swapped');
  t.equal(near('NET_ADMIN'), 'CAP_NET_ADMIN', 'the prefix missing');
  t.equal(near('cap_sys_admin'), 'CAP_SYS_ADMIN', 'in lower case');
  t.equal(near('CapSysAdmin'), 'CAP_SYS_ADMIN', 'without underscores');
  t.equal(near('frobnicate'), undefined, 'nothing is near');
  t.equal(near('x'.repeat(10_000)), undefined, 'and a long word costs nothing');
  t.equal(nearest('数据', ['日志']), undefined, 'letters of other scripts count');
  t.equal(nearest('ab', ['xy']), undefined, 'not everything is near to a short word');
});

t.test('as a question', async (t) => {
  t.equal(didYouMean('privat', ['shared', 'private']), 'did you mean "private"?');
  t.equal(didYouMean('privat', []), undefined);
});
