/** `checkpoint` and `restore`: what they say as long as tsrun cannot do them. */
import t from 'tap';
import { requires, run, runtimePath } from '../../harness/index.ts';

const skip = requires({ runtime: 'tsrun' });
const call = (...args: string[]) => run(runtimePath, ['--root', '/nowhere', ...args], {});

t.test('they fail with one clear line', { skip }, async (t) => {
  const lines = [
    ['checkpoint', '--image-path', '/i', '--work-path', '/w', '--leave-running', 'web'],
    ['restore', '--image-path', '/i', '--work-path', '/w', '--detach', '-no-subreaper', '--bundle', '/b', 'web'],
  ];
  for (const line of lines) {
    const { code, stdout, stderr } = await call(...line);
    t.match({ code, stdout }, { code: 1, stdout: '' });
    t.match(stderr, /^[^\n]*(checkpoint|restore): tsrun cannot checkpoint or restore containers[^\n]*\n$/);
  }
});

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
