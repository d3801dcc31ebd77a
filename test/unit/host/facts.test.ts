import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import { gatherHostFacts, outerId } from '../../../src/host/facts.ts';

t.test('an ID as the parent user namespace has it', async (t) => {
  const rootless = '         0       1000          1\n         1     100000      65536\n';
  t.equal(outerId(rootless, 0), 1000);
  t.equal(outerId(rootless, 1), 100000);
  t.equal(outerId(rootless, 65536), 165535);
  t.equal(outerId('         0          0 4294967295\n', 1000), 1000);
  t.equal(outerId('', 7), 7, 'without a map nothing else is known');
});

/** The names of getters; those of nested objects after a dot. */
function lazyNames(facts: object, prefix = ''): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(facts)).flatMap(([name, { get, value }]) => {
    if (get !== undefined) return [`${prefix}${name}`];
    return typeof value === 'object' && value !== null ? lazyNames(value, `${prefix}${name}.`) : [];
  });
}

t.test('docs/architecture.md lists the facts that are lazy, and no others', async (t) => {
  const table = readFileSync(resolve('docs/architecture.md'), 'utf8').split('| Lazy fact |')[1]?.split('\n\n')[0] ?? '';
  const listed = [...table.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name]) => name);
  const facts = lazyNames(gatherHostFacts());
  // Without cgroup2 there is no hierarchy with options.
  const expected = facts.includes('cgroup.options') ? facts : [...facts, 'cgroup.options'];
  t.same(listed.sort(), expected.sort());
});

t.test('a lazy fact is looked up once', async (t) => {
  const facts = gatherHostFacts();
  const { lsm } = facts;
  t.equal(facts.lsm, lsm, 'the same object');
  t.notOk(lazyNames(facts).includes('lsm'));
});
