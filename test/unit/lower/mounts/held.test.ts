/** From which mounts later paths are looked up, and when these mounts are checked. */
import t from 'tap';
import type { Hook, Mount, Spec } from '../../../../src/generated/spec.ts';
import { lower } from '../../../../src/lower/create-plan.ts';
import { capableHost } from '../host.ts';

function planOf(destinations: string[], linux: Spec['linux'] = {}, createRuntime: Hook[] = []) {
  const mounts = destinations.map((destination): Mount => {
    return destination === '/proc' ? { destination, type: 'proc' } : { destination, type: 'tmpfs' };
  });
  const spec: Spec = {
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    mounts,
    linux: { namespaces: [{ type: 'mount' }, { type: 'cgroup' }], ...linux },
    hooks: { createRuntime },
  };
  return lower(spec, capableHost(), { id: 'c1', bundle: '/bundle' }).ops;
}

function held(...parameters: Parameters<typeof planOf>): string[] {
  return planOf(...parameters).flatMap((op) => (op.op === 'attach-mount' && op.held ? [op.destination] : []));
}

t.test('a mount that later paths lead into is held', async (t) => {
  t.same(held(['/proc', '/run', '/tmp', '/sys', '/dev']), ['/proc', '/sys', '/dev']);
  t.same(held(['/a', '/a/b', '/ab', '/a/b/c']), ['/a', '/a/b'], 'another mount');
  t.same(held(['/a', '/b', '/c'], { maskedPaths: ['/a/x/y'], readonlyPaths: ['/b/x'] }), ['/a', '/b'], 'a path');
  t.same(held(['/a'], { devices: [{ path: '/a/fuse', type: 'c', major: 10, minor: 229 }] }), ['/a'], 'a device');
});

t.test('a path with .. counts by its text and by where the kernel finds it', async (t) => {
  const path = '/a/../b/x';
  const paths = { maskedPaths: [path, '/b/y'], readonlyPaths: [path] };
  t.same(held(['/b'], paths), ['/b']);
  const ops = planOf(['/b'], paths).flatMap((op) =>
    op.op === 'mask-path' || op.op === 'readonly-path' ? [`${op.op} ${op.path} ${op.from}`] : [],
  );
  t.same(ops, [
    'readonly-path /b/x /linux/readonlyPaths/0',
    'readonly-path /a/../b/x /linux/readonlyPaths/0',
    'mask-path /b/x /linux/maskedPaths/0',
    'mask-path /a/../b/x /linux/maskedPaths/0',
    'mask-path /b/y /linux/maskedPaths/1',
  ]);
});

t.test('/proc, /sys and /dev are checked', async (t) => {
  const order = (...parameters: Parameters<typeof planOf>) =>
    planOf(...parameters)
      .map((op) => (op.op === 'check-mounts' ? `${op.destinations} ${op.afterHooks}` : op.op))
      .filter((name) => /\/|run-hook|pivot-root|wait-start/.test(name));
  const checked = '/proc,/dev false';
  t.same(order(['/proc', '/x', '/dev']), ['pivot-root', checked, 'wait-start', checked]);
  t.same(order(['/x']), ['pivot-root', 'wait-start'], 'if they are mounts of the config');
  const hook = { path: '/bin/true' };
  t.same(
    order(['/proc', '/dev'], {}, [hook]),
    ['run-hook', '/proc,/dev true', 'pivot-root', checked, 'wait-start', checked],
    'what hooks have mounted there is held instead',
  );
});
