/** What the user is told to do about a mount that the kernel has refused. */
import { constants } from 'node:os';
import t from 'tap';
import type { Op } from '../../../../src/generated/ops.ts';
import { mountHint } from '../../../../src/run/words/mount-words.ts';
import { describeFailure, describeNotice, placeOf } from '../../../../src/run/words/words.ts';

const { EPERM, ENOENT, EINVAL, ENOSYS, ENOTDIR, EEXIST, EIO } = constants.errno;
const old = '5.10.0-8-amd64';

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
  tree: null,
  procOnly: false,
  emptyIfMissing: false,
};

const mapTree: Op = { op: 'map-tree', by: 'runtime', from: '/mounts/3', tree: 'a', namespace: 'b', recursive: false };

t.test('a call or an attribute that the kernel is too old for', async (t) => {
  t.equal(mountHint(attributes(1), ENOSYS, old), `mount_setattr(2) needs Linux 5.12 or later; this is ${old}`);
  t.equal(mountHint(clone, ENOSYS, '4.18.0'), 'open_tree(2) needs Linux 5.2 or later; this is 4.18.0');
  t.equal(mountHint(attributes(0x200000), EINVAL, old), `nosymfollow needs Linux 5.14 or later; this is ${old}`);
  t.equal(mountHint(attributes(1), EINVAL, old), undefined);
  t.match(mountHint(mapTree, EINVAL, old), /tmpfs: 6\.3; this is 5\.10/);
});

t.test('what stands in the way', async (t) => {
  t.match(mountHint(attributes(1), EPERM, old), /more privileged mount namespace/);
  t.match(mountHint(mapTree, EPERM, old), /CAP_SYS_ADMIN/);
  t.match(mountHint(clone, EINVAL, old), /try rbind/);
  const attach: Op = {
    op: 'attach-mount',
    by: 'init',
    from: '/mounts/3',
    destination: '/m',
    realDirectory: false,
    onProc: false,
    held: false,
  };
  t.match(mountHint(attach, ENOTDIR, old), /a file onto a file/);
  const device: Op = {
    op: 'bind-device',
    by: 'init',
    from: 'default',
    path: '/a',
    source: '/a',
    mode: 0,
    major: 1,
    minor: 1,
  };
  t.match(mountHint(device, EEXIST, old), /something else/);
  t.equal(mountHint(clone, EIO, old), undefined);
});

t.test('places name the entry, the option and the destination', async (t) => {
  t.equal(placeOf(attributes(1)), 'mounts[3].options[2] /m');
  t.equal(placeOf(clone), 'mounts[3].source /m');
});

t.test('a missing source is told in the words that engines look for', async (t) => {
  const { message, hint } = describeFailure(clone, { error: ENOENT, value: 0, detail: '/srv' });
  t.equal(message, 'mounts[3].source /m: /srv: no such file or directory');
  t.match(hint, /a relative one counts from the bundle/);
});

t.test('a fallback that was taken', async (t) => {
  const text = describeNotice(clone, { error: EPERM, value: 0, detail: 'did something else' });
  t.equal(text, 'mounts[3].source /m: clone-tree: EPERM (Operation not permitted): did something else');
});
