/** What callers ask of `checkpoint` and `restore` before they use them. */
import t from 'tap';
import { requires, run, runtimePath } from '../../harness/index.ts';

const skip = requires({ runtime: 'tsrun' });
const call = (...args: string[]) => run(runtimePath, ['--root', '/nowhere', ...args], {});

t.test('checkpoint --help succeeds, as podman asks', { skip }, async (t) => {
  const { code, stdout, stderr } = await call('checkpoint', '--help');
  t.match({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /--leave-running/);
});

t.test('podman’s probe for restore --lsm-mount-context is answered in the words it looks for', { skip }, async (t) => {
  const { code, stdout, stderr } = await call('restore', '--lsm-mount-context');
  t.equal(code, 1);
  t.match(stdout + stderr, /flag needs an argument|requires an argument/);
});

t.test('the features document says that it can be done', { skip }, async (t) => {
  const { stdout } = await call('features');
  t.equal(JSON.parse(stdout).annotations['org.opencontainers.runc.checkpoint.enabled'], 'true');
});
