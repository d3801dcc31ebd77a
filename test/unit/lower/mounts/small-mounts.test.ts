/** Which mount namespaces begin small, and which with a copy of the host's mounts. */
import t from 'tap';
import type { LowerOptions } from '../../../../src/lower/context.ts';
import { lower } from '../../../../src/lower/create-plan.ts';
import { defaultSpec } from '../../../../src/template/template.ts';
import { capableHost } from '../host.ts';
import type { FullSpec } from '../lowering.ts';

type Edit = (spec: FullSpec) => void;

function begins(edit: Edit, host = {}, options: Partial<LowerOptions> = {}): 'small' | 'full' {
  const spec = defaultSpec() as FullSpec;
  edit(spec);
  const facts = capableHost({ smallMounts: true, ...host });
  const { ops } = lower(spec, facts, { id: 'c1', bundle: '/bundle', ...options });
  const names = ops.map(({ op }) => op);
  const isSmall = names.includes('enter-small-mounts');
  // Each way has all of its parts, and none of the other's.
  t.equal(names.includes('open-small-mounts'), isSmall);
  t.equal(names.includes('bind-rootfs'), !isSmall);
  t.equal(names.includes('set-propagation'), !isSmall);
  const makesMounts = ops.some((op) => (op.op === 'clone' || op.op === 'unshare') && op.namespaces.includes('mount'));
  t.equal(makesMounts, !isSmall);
  return isSmall ? 'small' : 'full';
}

function mounts(type: string, source: string, options: string[] = []): Edit {
  return (spec) => {
    spec.mounts?.push({ destination: '/m', type, source, options });
  };
}

function hook(kind: 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart'): Edit {
  return (spec) => {
    spec.hooks = { [kind]: [{ path: '/bin/true' }] };
  };
}

t.test('small: what needs only trees of the host', async (t) => {
  t.equal(
    begins(() => {}),
    'small',
  );
  t.equal(begins(mounts('bind', '/srv', ['rbind', 'ro'])), 'small');
  t.equal(begins(mounts('bind', '/bundle/rootfs-of-another', ['bind'])), 'small');
  t.equal(begins(mounts('tmpfs', 'tmpfs', ['size=1m'])), 'small');
  t.equal(begins(hook('startContainer')), 'small');
  t.equal(begins(hook('poststart')), 'small');
  const slave: Edit = ({ linux }) => {
    linux.rootfsPropagation = 'rslave';
  };
  t.equal(begins(slave), 'small');
});

t.test('full: what looks at the host’s mounts by their paths', async (t) => {
  for (const kind of ['prestart', 'createRuntime', 'createContainer'] as const)
    t.equal(begins(hook(kind)), 'full', kind);
  t.equal(begins(mounts('overlay', 'overlay', ['lowerdir=/a'])), 'full');
  t.equal(begins(mounts('ext4', '/dev/loop0')), 'full');
  t.equal(begins(mounts('bind', '/bundle/rootfs/etc', ['bind'])), 'full');
  t.equal(begins(mounts('bind', 'rootfs/../rootfs', ['bind'])), 'full');
  for (const kind of ['private', 'shared', 'rshared', 'unbindable'] as const) {
    const edit: Edit = ({ linux }) => {
      linux.rootfsPropagation = kind;
    };
    t.equal(begins(edit), 'full', kind);
  }
  t.equal(
    begins(() => {}, {}, { noPivot: true }),
    'full',
  );
});

t.test('full: where the namespace would not be the runtime’s to copy', async (t) => {
  const user: Edit = ({ linux }) => {
    linux.namespaces?.push({ type: 'user' });
    linux.uidMappings = linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
  };
  t.equal(begins(user), 'full');
  t.equal(
    begins(() => {}, { smallMounts: false }),
    'full',
  );
  const pid: Edit = ({ linux }) => {
    linux.namespaces = linux.namespaces?.map(({ type }) => (type === 'pid' ? { type, path: '/p' } : { type })) ?? [];
  };
  t.equal(begins(pid), 'full');
});
