/** Filesystems that a container shares with the host stay as they are (in the VM, which owns them). */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { requires, type Spec, sandbox } from '../../harness/index.ts';

const differs = { crun: 'takes them away', runc: 'takes them away' } as const;
const skip = requires({ root: true, controllers: ['memory'], differs });
const skipTsrun = requires({ root: true, controllers: ['memory'], runtime: 'tsrun' });

/** Options of the filesystem of this type: the last field of proc_pid_mountinfo(5). */
function optionsOf(type: string): string | undefined {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.find((line) => line.includes(` - ${type} `))?.replace(/.* /, '');
}

/** As podman --privileged --cgroupns=host, which may mount cgroup2 anew. */
function privileged(spec: Spec): void {
  for (const set of ['bounding', 'effective', 'permitted'] as const) {
    spec.process.capabilities = { ...spec.process.capabilities, [set]: ['CAP_SYS_ADMIN'] };
  }
  cgroupMount('rw', 'nosuid')(spec);
}

function cgroupMount(...options: string[]) {
  return (spec: Spec) => {
    spec.mounts = spec.mounts.filter(({ destination }) => destination !== '/sys/fs/cgroup');
    spec.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options });
  };
}

function without(spec: Spec, type: string): void {
  spec.linux.namespaces = spec.linux.namespaces.filter((namespace) => namespace.type !== type);
}

t.test('the options of the cgroup hierarchy', { skip }, async (t) => {
  const before = optionsOf('cgroup2');
  t.match(before, /nsdelegate/);
  await sandbox(t).outputOf(['/bin/ls', '/sys/fs/cgroup'], (spec) => {
    privileged(spec);
    without(spec, 'cgroup');
  });
  t.equal(optionsOf('cgroup2'), before);
});

t.test('where the host’s cgroup namespace is joined', { skip: skipTsrun }, async (t) => {
  const before = optionsOf('cgroup2');
  await sandbox(t).outputOf(['/bin/ls', '/sys/fs/cgroup'], (spec) => {
    privileged(spec);
    without(spec, 'cgroup');
    spec.linux.namespaces.push({ type: 'cgroup', path: '/proc/self/ns/cgroup' });
  });
  t.equal(optionsOf('cgroup2'), before);
});

t.test('an option that the host does not have is not given to it', { skip: skipTsrun }, async (t) => {
  const before = optionsOf('cgroup2');
  t.notMatch(before, /memory_localevents/);
  await sandbox(t).outputOf(['/bin/true'], (spec) => {
    privileged(spec);
    without(spec, 'cgroup');
    cgroupMount('rw', 'memory_localevents')(spec);
  });
  t.equal(optionsOf('cgroup2'), before);
});

for (const [type, destination, namespace] of [
  ['cgroup2', '/sys/fs/cgroup', 'none'],
  ['sysfs', '/sys', 'network'],
  ['mqueue', '/dev/mqueue', 'ipc'],
] as const) {
  t.test(`a remount of ${type} changes this mount only`, { skip: skipTsrun }, async (t) => {
    const before = optionsOf(type);
    const output = await sandbox(t).outputOf(['/bin/cat', '/proc/self/mounts'], (spec) => {
      cgroupMount('nosuid')(spec);
      without(spec, namespace);
      spec.mounts.push({ destination, options: ['remount', 'ro', 'nosuid'] });
    });
    t.match(output, new RegExp(` ${destination} ${type} ro,`));
    t.equal(optionsOf(type), before);
  });
}
