import t from 'tap';
import { scopeName, scopePath } from '../../../src/systemd/unit-name.ts';

t.test('slice:prefix:name', async (t) => {
  t.strictSame(scopeName('machine.slice:docker:c1', 'id', false), { slice: 'machine.slice', scope: 'docker-c1.scope' });
  t.strictSame(scopeName(':p:n', 'id', false), { slice: 'system.slice', scope: 'p-n.scope' });
  t.strictSame(scopeName('::n', 'id', true), { slice: 'user.slice', scope: 'n.scope' });
  t.strictSame(scopeName(undefined, 'id', false), { slice: 'system.slice', scope: 'tsrun-id.scope' });
  t.strictSame(scopeName('-.slice:p:n', 'id', false), { slice: '-.slice', scope: 'p-n.scope' });
  t.strictSame(scopeName('a-b_c.slice:p:n', 'id', false).slice, 'a-b_c.slice');
});

t.test('other forms are refused, in the words of runc', async (t) => {
  for (const path of ['/a/b', 'a', 'a:b', 'a:b:c:d', 'a.slice:b:'])
    t.throws(() => scopeName(path, 'id', false), /expected cgroupsPath to be of format "slice:prefix:name"/, path);
});

t.test('names that no unit can have', async (t) => {
  for (const path of ['a:b:c', 'a--b.slice:p:n', '-a.slice:p:n', '../x.slice:p:n'])
    t.throws(() => scopeName(path, 'id', false), /not the name of a (slice|unit)/, path);
  for (const path of [':p:n/../m', ':p:a b', ':p:x.slice', `:p:${'n'.repeat(300)}`])
    t.throws(() => scopeName(path, 'id', false), /not the name of a unit/, path);
});

t.test('where the scope is in the tree', async (t) => {
  const path = (slice: string, uid?: number, own = '/') => scopePath({ slice, scope: 'p-n.scope' }, uid, own);
  t.equal(path('system.slice'), '/system.slice/p-n.scope');
  t.equal(path('a-b-c.slice'), '/a.slice/a-b.slice/a-b-c.slice/p-n.scope');
  t.equal(path('-.slice'), '/p-n.scope');
  t.equal(path('user.slice', 1000), '/user.slice/user-1000.slice/user@1000.service/user.slice/p-n.scope');
  const session = '/user.slice/user-1000.slice/session-1.scope';
  t.equal(path('user.slice', 1000, session), '/user.slice/user-1000.slice/user@1000.service/user.slice/p-n.scope');
  // A caller that the user's systemd has started knows the cgroup of that systemd.
  const shell = '/box/user@1000.service/app.slice/shell.scope';
  t.equal(path('user.slice', 1000, shell), '/box/user@1000.service/user.slice/p-n.scope');
  t.equal(path('user.slice', 1000, '/box/user@1000.service'), '/box/user@1000.service/user.slice/p-n.scope');
  t.equal(path('system.slice', undefined, shell), '/system.slice/p-n.scope');
});
