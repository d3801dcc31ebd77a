import t from 'tap';
import { outerId } from '../../../src/host/facts.ts';

t.test('an ID as the creator of the user namespace knows it', async (t) => {
  const rootless = '         0       1000          1\n         1     100000      65536\n';
  t.equal(outerId(rootless, 0), 1000);
  t.equal(outerId(rootless, 1), 100000);
  t.equal(outerId(rootless, 65536), 165535);
  t.equal(outerId('         0          0 4294967295\n', 1000), 1000);
  t.equal(outerId('', 7), 7, 'without a map nothing else is known');
});
