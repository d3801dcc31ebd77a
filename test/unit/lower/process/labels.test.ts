import t from 'tap';
import { type FullSpec, opsOf, planOf, refusalOf } from '../lowering.ts';

const off = { lsm: { apparmor: false, selinux: false } };
const label = 'system_u:system_r:container_t:s0:c1,c2';

function labelled(spec: FullSpec): void {
  spec.process.apparmorProfile = 'profile';
  spec.process.selinuxLabel = label;
}

t.test('labels are set while init still has its privileges and its private procfs', async (t) => {
  const { ops } = planOf(labelled);
  const at = (name: string) => ops.findIndex(({ op }) => op === name);
  t.ok(at('open-procfs') < at('set-apparmor-profile'));
  t.equal(at('set-apparmor-profile') + 1, at('set-selinux-label'));
  t.ok(at('set-selinux-label') < at('set-user'));
});

t.test('the session keyring gets the SELinux label', async (t) => {
  t.match(opsOf(planOf(labelled), 'join-session-keyring'), [{ name: '_ses.c1', label }]);
  t.match(
    opsOf(
      planOf(() => {}, off),
      'join-session-keyring',
    ),
    [{ name: '_ses.c1', label: null }],
  );
});

t.test('a label of a module that is off is refused', async (t) => {
  t.match(
    refusalOf((spec) => {
      spec.process.apparmorProfile = 'profile';
    }, off),
    /^\/process\/apparmorProfile: AppArmor is not enabled on this host/,
  );
  t.match(
    refusalOf((spec) => {
      spec.process.selinuxLabel = label;
    }, off),
    /^\/process\/selinuxLabel: SELinux is not enabled on this host/,
  );
});

t.test('mountLabel becomes the context parameter of filesystems that take one', async (t) => {
  const labelMounts = (spec: FullSpec) => {
    spec.linux.mountLabel = label;
  };
  const mounts = opsOf(planOf(labelMounts), 'new-filesystem') as { type: string; parameters: string[] }[];
  const labelled = mounts.filter(({ parameters }) => parameters.includes(`context=${label}`)).map(({ type }) => type);
  t.same([...new Set(labelled)].sort(), ['devpts', 'mqueue', 'tmpfs']);
  const nested = opsOf(
    planOf((spec) => {
      labelMounts(spec);
      spec.annotations = { 'run.oci.mount_context_type': 'rootcontext' };
    }),
    'new-filesystem',
  ) as typeof mounts;
  t.ok(nested.some(({ parameters }) => parameters.includes(`rootcontext=${label}`)));
  t.notOk(nested.some(({ parameters }) => parameters.includes(`context=${label}`)));
  t.match(refusalOf(labelMounts, off), /^\/linux\/mountLabel: SELinux is not enabled on this host/);
});
