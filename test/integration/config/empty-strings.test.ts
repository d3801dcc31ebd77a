/**
 * Go writes an unset string as an empty one, so an empty optional string counts as absent, as in the engines' types.
 */
import t from 'tap';
import { type Differences, isExempt, requires, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true });

const cases: Readonly<Record<string, (spec: Spec) => void>> = {
  'mount labels, LSM labels and names': (spec) => {
    spec.linux.mountLabel = '';
    Object.assign(spec.process, { apparmorProfile: '', selinuxLabel: '' });
    Object.assign(spec, { hostname: '', domainname: '' });
  },
  'paths of namespaces': (spec) => {
    spec.linux.namespaces = spec.linux.namespaces.map(({ type }) => ({ type, path: '' }));
  },
  'type and source of a bind mount’s options': (spec) => {
    spec.mounts?.push({ destination: '/here', source: '/etc', type: '', options: ['bind', 'ro'] });
  },
  'type of a device rule': (spec) => {
    spec.linux.resources = { devices: [{ allow: true, type: '', access: 'rwm' }] };
  },
};

/** Being written in C, it takes an empty string as a name or path. */
const differs: Readonly<Record<string, Differences>> = {
  'mount labels, LSM labels and names': { crun: 'writes the empty SELinux label' },
  'paths of namespaces': { crun: 'opens the empty path' },
};

for (const [what, edit] of Object.entries(cases)) {
  t.test(what, { skip }, async (t) => {
    if (isExempt(t, what, differs[what])) return;
    t.equal(await sandbox(t).outputOf('echo here', edit), 'here\n');
  });
}

t.test('rootfsPropagation', { skip }, async (t) => {
  const propagation = (edit?: (spec: Spec) => void) =>
    sandbox(t).outputOf("sed -n 's/.* \\/ \\/ [^ ]* \\(.*\\) - .*/\\1/p' /proc/self/mountinfo", edit);
  const absent = await propagation();
  const empty = await propagation((spec) => {
    spec.linux.rootfsPropagation = '';
  });
  t.equal(empty, absent);
});
