/**
 * linux.devices and the default devices (config-linux.md).
 *
 * Also run with Debian's crun 1.8.1 and runc 1.1.5; tests that they fail are for tsrun only. Seen there: crun needs a
 * /dev/null in a bind-mounted /dev, and runc fails, too.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Bundle, requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

function withDevices(...devices: NonNullable<Spec['linux']['devices']>) {
  return (spec: Spec) => {
    spec.linux.devices = devices;
  };
}

/** Without mounts on /dev, which is then the image's own. */
function bareDev(spec: Spec): void {
  spec.mounts = spec.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
}

async function runWith(box: Sandbox, prepare: (bundle: Bundle) => void, edit: (spec: Spec) => void, script = 'true') {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    edit(spec);
  });
  prepare(bundle);
  return box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
}

t.test('the default devices and links', { skip }, async (t) => {
  const output = await sandbox(t).outputOf(
    'cd /dev; stat -c "%n %F %t:%T %a" null zero full random urandom tty; for l in fd stdin stdout stderr ptmx; do readlink $l; done',
  );
  t.equal(
    output,
    'null character special file 1:3 666\nzero character special file 1:5 666\nfull character special file 1:7 666\n' +
      'random character special file 1:8 666\nurandom character special file 1:9 666\n' +
      'tty character special file 5:0 666\n' +
      '/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n',
  );
});

t.test('no link to a missing file', { skip: tsrunOnly }, async (t) => {
  const output = await sandbox(t).outputOf('ls /dev', (spec) => {
    spec.mounts = spec.mounts.filter(({ destination }) => destination !== '/proc');
  });
  t.notMatch(output, /^(fd|stdin|core)$/m);
});

t.test('every type, anywhere, with mode and owner', { skip }, async (t) => {
  const output = await sandbox(t).outputOf(
    'stat -c "%n %F %t:%T %a %u:%g" /dev/c /some/new/place/b /u /p /plain',
    withDevices(
      { type: 'c', path: '/dev/c', major: 10, minor: 229, fileMode: 0o640, uid: 7, gid: 8 },
      { type: 'b', path: '/some/new/place/b', major: 259, minor: 300, fileMode: 0o660 },
      { type: 'u', path: '/u', major: 1, minor: 11, fileMode: 0o600 },
      { type: 'p', path: '/p', fileMode: 0o622, uid: 1 },
      { type: 'c', path: '/plain', major: 1, minor: 3 },
    ),
  );
  t.equal(
    output,
    '/dev/c character special file a:e5 640 7:8\n/some/new/place/b block special file 103:12c 660 0:0\n' +
      '/u character special file 1:b 600 0:0\n/p fifo 0:0 622 1:0\n/plain character special file 1:3 666 0:0\n',
  );
});

const skipSlash = requires({ root: true, differs: { crun: '1.8.1 fails at the slash' } });

t.test('a slash at the end of a path, and numbers of a fifo', { skip: skipSlash }, async (t) => {
  const output = await sandbox(t).outputOf(
    'stat -c "%n %F %t:%T" /dev/foo /p',
    withDevices(
      { type: 'c', path: '/dev/foo/', major: 1, minor: 3 },
      { type: 'p', path: '/p', major: 1, minor: 3, fileMode: 0o600 },
    ),
  );
  t.equal(output, '/dev/foo character special file 1:3\n/p fifo 0:0\n');
});

t.test('an entry replaces a default device', { skip }, async (t) => {
  const output = await sandbox(t).outputOf(
    'stat -c "%t:%T %a" /dev/zero',
    withDevices({ type: 'c', path: '/dev/zero', major: 1, minor: 5, fileMode: 0o600 }),
  );
  t.equal(output, '1:5 600\n');
});

t.test('an existing node that matches stays as it is', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const device = { type: 'c', path: '/dev/shm/z', major: 1, minor: 5, fileMode: 0o640 } as const;
  const twice = await box.outputOf(
    'stat -c "%t:%T %a" /dev/shm/z',
    withDevices(device, { ...device, path: '/dev//shm/z' }),
  );
  t.equal(twice, '1:5 640\n');
});

t.test('anything else there is an error that names it', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const zero = { type: 'c', path: '/srv/zero', major: 1, minor: 5 } as const;
  for (const prepare of [
    (path: string) => writeFileSync(path, ''),
    (path: string) => mkdirSync(path),
    (path: string) => symlinkSync('/dev/zero', path),
  ]) {
    const { code, stderr } = await runWith(
      box,
      (bundle) => {
        mkdirSync(join(bundle.rootfs, 'srv'));
        prepare(join(bundle.rootfs, 'srv/zero'));
      },
      withDevices(zero),
    );
    t.equal(code, 1);
    t.match(stderr, /\/linux\/devices\/0: make-device \/srv\/zero: EEXIST \(something else is there already\)/);
  }
});

t.test('a device of another number in its place', { skip: tsrunOnly }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer(
    ['/bin/true'],
    withDevices({ type: 'c', path: '/x', major: 1, minor: 5 }, { type: 'c', path: '//x', major: 1, minor: 7 }),
  );
  t.equal(code, 1);
  t.match(stderr, /\/linux\/devices\/1: make-device \/x: EEXIST/);
});

t.test('a /dev/null of the image that is a symlink is refused', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const { code, stderr } = await runWith(
    box,
    (bundle) => symlinkSync('/etc/passwd', join(bundle.rootfs, 'dev/null')),
    bareDev,
  );
  t.equal(code, 1);
  t.match(stderr, /make-device \/dev\/null: EEXIST/);
});

t.test('whatever the image has as /dev/ptmx is replaced', { skip }, async (t) => {
  const { stdout } = await runWith(
    sandbox(t),
    (bundle) => writeFileSync(join(bundle.rootfs, 'dev/ptmx'), 'no terminal'),
    (spec) => {
      spec.mounts = spec.mounts.filter(({ destination }) => destination !== '/dev');
    },
    'readlink /dev/ptmx',
  );
  t.equal(stdout, 'pts/ptmx\n');
});

t.test('nothing is made in a /dev that is a bind mount', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const dev = join(box.directory, 'dev');
  mkdirSync(dev);
  const output = await box.outputOf('ls -A /dev', (spec) => {
    bareDev(spec);
    spec.mounts.push({ destination: '/dev', source: dev, options: ['rbind'] });
    spec.linux.maskedPaths = [];
    spec.linux.devices = [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229 }];
  });
  t.equal(output, '');
});
