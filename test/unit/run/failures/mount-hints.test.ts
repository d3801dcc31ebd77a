/** Hints for mounts that the kernel has refused. */
import { constants } from 'node:os';
import t from 'tap';
import type { Op } from '../../../../src/generated/ops.ts';
import { describeFailure, describeNotice } from '../../../../src/run/failures/failure.ts';
import { mountHint } from '../../../../src/run/failures/mount-hints.ts';

const { EACCES, ELOOP, EPERM, ENOENT, EINVAL, ENOSYS, ENOTDIR, EEXIST, EIO } = constants.errno;
const old = '5.10.0-8-amd64';

/** In the host's own user namespace, and in one of the container or the runtime. */
const here = { kernel: old, confined: false };
const confined = { kernel: old, confined: true };

const attributes = (set: number): Op => ({
  op: 'set-mount-attributes',
  by: 'init',
  from: '/mounts/3/options/2',
  destination: '/m',
  recursive: false,
  set,
  clear: 0,
  propagation: 0,
});

const clone: Op = {
  op: 'clone-tree',
  by: 'init',
  from: '/mounts/3/source',
  destination: '/m',
  source: '/srv',
  recursive: false,
  noFollow: false,
  tree: null,
  procOnly: false,
  emptyIfMissing: false,
};

const mapTree: Op = { op: 'map-tree', by: 'runtime', from: '/mounts/3', tree: 'a', namespace: 'b', recursive: false };

t.test('a call or an attribute that the kernel is too old for', async (t) => {
  t.equal(mountHint(attributes(1), ENOSYS, here), `mount_setattr(2) needs Linux 5.12 or later; this is ${old}`);
  t.equal(
    mountHint(clone, ENOSYS, { kernel: '4.18.0', confined: false }),
    'open_tree(2) needs Linux 5.2 or later; this is 4.18.0',
  );
  t.equal(mountHint(attributes(0x200000), EINVAL, here), `nosymfollow needs Linux 5.14 or later; this is ${old}`);
  t.equal(mountHint(attributes(1), EINVAL, here), undefined);
  t.match(mountHint(mapTree, EINVAL, here), /tmpfs: 6\.3; this is 5\.10/);
});

t.test('what stands in the way', async (t) => {
  t.match(mountHint(attributes(1), EPERM, confined), /more privileged mount namespace/);
  t.match(mountHint(attributes(1), EPERM, here), /around the runtime forbids it/);
  t.match(mountHint(mapTree, EPERM, here), /CAP_SYS_ADMIN/);
  t.match(mountHint(clone, EINVAL, here), /unbindable/);
  const attach: Op = {
    op: 'attach-mount',
    by: 'init',
    from: '/mounts/3',
    destination: '/m',
    realDirectory: false,
    onProc: false,
    held: false,
  };
  t.match(mountHint(attach, ENOTDIR, here), /a file onto a file/);
  const device: Op = {
    op: 'bind-device',
    number: -1,
    by: 'init',
    from: 'default',
    path: '/a',
    source: '/a',
    mode: 0,
    major: 1,
    minor: 1,
  };
  t.equal(mountHint(device, EEXIST, here), 'the image has something else there: remove it');
  t.match(mountHint({ ...device, path: '/dev/a' }, EEXIST, here), /mount a tmpfs on \/dev$/);
  t.equal(mountHint(clone, EIO, here), undefined);
});

t.test('a source says who cannot reach it, and what it is the source of', async (t) => {
  const open: Op = {
    op: 'open-tree',
    by: 'runtime',
    from: '/root/path',
    slot: 'rootfs',
    path: '/r',
    recursive: true,
    noFollow: false,
  };
  t.match(mountHint(open, ENOENT, here), /^the root filesystem must be there/);
  t.match(mountHint({ ...open, from: '/mounts/3/source' }, ENOENT, here), /^the source of a bind mount/);
  t.match(mountHint(clone, EACCES, confined), /closed to the container’s user/);
  t.match(mountHint(clone, EACCES, here), /closed to the runtime/);
  t.match(mountHint(open, EACCES, confined), /closed to the runtime/);
  t.match(mountHint(clone, EINVAL, confined), /unbindable.*try rbind/);
  t.notMatch(mountHint(clone, EINVAL, here), /rbind/);
  t.notMatch(mountHint({ ...clone, recursive: true } as Op, EINVAL, confined), /rbind/);
});

t.test('copy-symlink, and destinations that no link may lead to', async (t) => {
  const attach = (destination: string, realDirectory = false): Op => {
    return {
      op: 'attach-mount',
      by: 'init',
      from: '/mounts/3',
      destination,
      realDirectory,
      onProc: false,
      held: false,
    };
  };
  t.match(mountHint(attach('/a'), EEXIST, here), /copy-symlink makes a link/);
  t.match(mountHint(attach('/dev'), ELOOP, here), /must be directories/);
  t.match(mountHint(attach('/sys', true), ELOOP, here), /must be directories/);
  t.equal(mountHint(attach('/a'), ELOOP, here), undefined);
});

t.test('the pointer names the property, and the op its object, only once', async (t) => {
  const words = (op: Op, detail: string) => describeFailure(op, { error: EIO, value: 0, detail });
  t.equal(words(attributes(1), '').pointer, '/mounts/3/options/2');
  const io = 'EIO';
  t.equal(words(attributes(1), '').message, `/mounts/3/options/2: set-mount-attributes /m: ${io}`);
  t.equal(words(attributes(1), '/m').message, `/mounts/3/options/2: set-mount-attributes /m: ${io}`);
  t.equal(words(clone, '/srv').message, `/mounts/3/source: clone-tree /srv for /m: ${io}`);
  t.equal(words(clone, 'its own words').message, `/mounts/3/source: clone-tree /m: its own words: ${io}`);
});

t.test('for a file onto a directory, the hint says where it could go', async (t) => {
  const attach = { op: 'attach-mount', by: 'init', from: '/mounts/3', destination: '/m' } as Op;
  const hintOf = (source: string) =>
    describeFailure(attach, { error: ENOTDIR, value: 0, detail: '' }, [{ ...clone, source } as Op]).hint;
  t.match(hintOf('/etc/passwd'), /the source \/etc\/passwd is a file, .* such as \/m\/passwd$/);
  t.match(hintOf('/etc'), /the source \/etc is a directory, so the destination/);
  t.match(hintOf('/none'), /a file onto a file$/);
});

t.test('a missing source is reported in the words that engines look for', async (t) => {
  const { message, hint } = describeFailure(clone, { error: ENOENT, value: 0, detail: '/srv' });
  t.equal(message, '/mounts/3/source: mount on /m: /srv: no such file or directory');
  t.match(hint, /a relative one starts at the bundle/);
});

t.test('a fallback that was taken', async (t) => {
  const text = describeNotice(clone, { error: EPERM, value: 0, detail: 'did something else' });
  t.equal(text, 'clone-tree /m: EPERM (Operation not permitted): did something else');
});

t.test('only in a user namespace the hint for a filesystem speaks of one', async (t) => {
  const mount = (type: string): Op => ({
    op: 'new-filesystem',
    by: 'init',
    from: '/mounts/0',
    destination: '/m',
    type,
    source: type,
    parameters: [],
    attributes: 0,
    modeFromDestination: false,
    fallbackParameters: [],
    fallbackTree: null,
    fallbackAttributes: 0,
  });
  t.match(mountHint(mount('proc'), EPERM, confined), /hides nothing/);
  t.match(mountHint(mount('sysfs'), EPERM, confined), /same user namespace/);
  t.match(mountHint(mount('ext4'), EPERM, confined), /cannot be mounted in a user namespace/);
  t.match(mountHint(mount('devpts'), EINVAL, confined), /must map ID 0/);
  const withGroup = { ...mount('devpts'), parameters: ['newinstance', 'gid=5'] } as Op;
  t.match(mountHint(withGroup, EINVAL, confined), /leave gid=5 out/);
  for (const type of ['proc', 'sysfs', 'ext4'])
    t.match(mountHint(mount(type), EPERM, here), /^a seccomp filter or a security module around/);
  t.equal(mountHint(mount('devpts'), EINVAL, here), undefined);
});

t.test('a device’s hint depends on how it is made', async (t) => {
  const device = (op: 'make-device' | 'bind-device'): Op => ({ op, by: 'init', from: '/linux/devices/0' }) as Op;
  const bound = (number: number) => ({ ...device('bind-device'), number }) as Op;
  t.match(mountHint(bound(-1), ENOENT, confined), /must be there/);
  t.match(mountHint(bound(3), ENOENT, confined), /the kernel did not let one be made/);
  t.equal(mountHint(device('make-device'), ENOENT, here), undefined);
  t.match(mountHint(device('make-device'), EPERM, here), /CAP_MKNOD/);
});
