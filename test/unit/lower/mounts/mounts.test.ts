/** Mounts that lowering refuses, and its warnings about others. */
import t from 'tap';
import type { Mount, Spec } from '../../../../src/generated/spec.ts';
import type { HostFacts } from '../../../../src/host/facts.ts';
import { lower } from '../../../../src/lower/create-plan.ts';
import { destinationOf } from '../../../../src/lower/mounts/mount-destination.ts';
import { knownMountOptions, sortOptions } from '../../../../src/lower/mounts/mount-options.ts';
import { capableHost } from '../host.ts';

function planWith(mounts: Mount[], linux: Spec['linux'] = {}, host: Partial<HostFacts> = {}) {
  const spec: Spec = {
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    mounts,
    linux: { namespaces: [{ type: 'mount' }, { type: 'cgroup' }], ...linux },
  };
  return lower(spec, capableHost(host), { id: 'c1', bundle: '/bundle' });
}

function tmpfs(...options: string[]): Mount {
  return { destination: '/m', type: 'tmpfs', source: 'tmpfs', options };
}

function bind(...options: string[]): Mount {
  return { destination: '/m', source: '/srv', options: ['bind', ...options] };
}

const mappings = {
  uidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
};

/** config.md, Linux mount options: MUST, SHOULD and MAY, without those of single filesystems. */
const optionsOfTheText =
  'async atime bind defaults dev diratime dirsync exec idmap iversion lazytime loud mand noatime nodev nodiratime noexec ' +
  'noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime ' +
  'remount rexec ridmap rnoatime rnodiratime rnodev rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate ' +
  'rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave strictatime suid ' +
  'symfollow sync tmpcopyup unbindable';

/** An option of crun(1) that podman uses. */
const optionsOfCrun = ['copy-symlink'];

t.test('every option of the text is known, and one of crun(1)', async (t) => {
  t.same(knownMountOptions, [...optionsOfTheText.split(' '), ...optionsOfCrun].sort());
  for (const option of knownMountOptions)
    t.same(
      sortOptions([option], '').parameters.filter((p) => !p.generic),
      [],
    );
});

t.test('names of Object.prototype are not options', async (t) => {
  for (const option of ['toString', 'constructor', '__proto__', 'rconstructor']) {
    t.same(
      sortOptions([option], '').parameters.map(({ text }) => text),
      [option],
    );
  }
});

t.test('the later option wins', async (t) => {
  const own = (...options: string[]) => {
    const { set, clear } = sortOptions(options, '').own;
    return [set, clear];
  };
  t.same(own('ro', 'rw'), [0, 1]);
  t.same(own('rw', 'ro'), [1, 0]);
  t.same(own('nosuid', 'suid', 'nodev'), [4, 2]);
  t.same(own('noatime', 'strictatime'), [0x20, 0x70]);
  t.same(own('strictatime', 'noatime'), [0x10, 0x70]);
  t.same(own('noatime', 'relatime'), [0, 0x70]);
  t.same(own('noatime', 'nodiratime', 'diratime'), [0x10, 0xf0]);
  t.equal(sortOptions(['rbind', 'bind'], '').bind, 'rbind');
});

t.test('impossible mounts', async (t) => {
  const cases: [Mount[], RegExp][] = [
    [[bind('size=1m')], /^\/mounts\/0\/options\/1: unknown mount option "size=1m"; a bind mount takes no options of/],
    [[bind('tmpcopyup')], /^\/mounts\/0\/options\/1: tmpcopyup is for mounts of type tmpfs/],
    [[{ ...tmpfs('tmpcopyup'), type: 'proc', destination: '/p' }], /^\/mounts\/0\/options\/0: tmpcopyup is for/],
    [[{ destination: '/m', type: 'bind', source: '/srv' }], /^\/mounts\/0\/type: "bind" is not a filesystem type/],
    [[{ destination: '/m', source: '/srv' }], /^\/mounts\/0\/type: "" is not a filesystem type/],
    [[tmpfs('iversion', 'tmpcopyup')], /^\/mounts\/0\/options: iversion and silent cannot be combined/],
    [[{ ...tmpfs('silent'), ...mappings }], /^\/mounts\/0\/options: iversion and silent cannot be combined/],
    [[tmpfs(), tmpfs('remount', 'iversion')], /^\/mounts\/1\/options: iversion and silent are for new filesystems/],
    [[bind(), tmpfs('remount', 'ro')], /^\/mounts\/1\/options: remount would change a filesystem that is not/],
    [[tmpfs('remount', 'ro')], /^\/mounts\/0\/options: remount would change a filesystem that is not/],
    [[bind(), bind('remount', 'size=1m')], /^\/mounts\/1\/options\/2: unknown mount option "size=1m"/],
    [[bind('idmap')], /^\/mounts\/0: an ID-mapped mount needs both uidMappings and gidMappings/],
    [[{ ...bind(), uidMappings: mappings.uidMappings }], /^\/mounts\/0: an ID-mapped mount needs both/],
  ];
  for (const [mounts, message] of cases) t.throws(() => planWith(mounts), { message }, String(message));
});

t.test('a new filesystem in a user namespace cannot be ID-mapped', async (t) => {
  const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
  const linux = {
    namespaces: [{ type: 'mount' as const }, { type: 'user' as const }],
    uidMappings: ids,
    gidMappings: ids,
  };
  t.throws(() => planWith([tmpfs('idmap')], linux), {
    message: /^\/mounts\/0\/options\/0: a new filesystem in a user/,
  });
});

t.test('a read-only tmpfs stays writable only for later mounts below it', async (t) => {
  const at = (destination: string, ...options: string[]): Mount => ({ ...tmpfs(...options), destination });
  const kept = (...mounts: Mount[]) =>
    planWith(mounts)
      .ops.filter(({ op }) => op === 'keep-mount')
      .map(({ from }) => from);
  t.same(kept(at('/a', 'ro'), at('/a/b/c')), ['/mounts/0']);
  t.same(kept(at('/a', 'ro'), at('/a/b', 'ro'), at('/a!'), at('/a/b/c')), ['/mounts/0', '/mounts/1']);
  t.same(kept(at('/a', 'ro'), at('/a!/b'), at('/a-b'), at('/ab/c'), at('/b')), [], 'only beside it');
  t.same(kept(at('/a/b'), at('/a', 'ro')), [], 'nothing later');
  t.same(kept(at('/a', 'ro'), at('/a/b'), at('/a')), [], 'hidden by a later one');
  t.same(kept(at('/dev', 'ro')), ['/mounts/0'], 'devices are made in it');
});

t.test('what has no effect is warned about', async (t) => {
  t.same(planWith([bind('sync', 'ro')]).warnings, [
    {
      pointer: '/mounts/0/options',
      message: 'sync is an option of the filesystem, which other mounts share: no effect',
    },
  ]);
  t.same(planWith([bind('sync', 'async', 'loud', 'nolazytime')]).warnings, []);
});

t.test('without cgroup v2', async (t) => {
  const mount = { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' };
  const { warnings } = planWith(
    [mount],
    {},
    { cgroup: { mode: 'none', mount: null, options: [], controllers: [], v1Controllers: {}, own: '/', parent: '/' } },
  );
  t.match(warnings, [
    { pointer: '' },
    { pointer: '/root/path' },
    {
      pointer: '/mounts/0',
      message: 'no cgroup v2 is mounted at /sys/fs/cgroup, so /sys/fs/cgroup is an empty directory',
    },
  ]);
});

t.test('destinations', async (t) => {
  const at = (destination: string, type?: string) => destinationOf(destination, type, '/mounts/0');
  t.equal(at('relative/place', 'tmpfs').path, '/relative/place');
  t.equal(at('/a/../../b//c/', 'tmpfs').path, '/b/c');
  t.match(at('/proc', 'proc'), { realDirectory: true, onProc: true, procOnly: false });
  t.match(at('/proc/', undefined), { realDirectory: true, onProc: true, procOnly: true });
  t.match(at('/sys', 'sysfs'), { realDirectory: true, onProc: false });
  t.match(at('/proc/meminfo', undefined), { realDirectory: false, onProc: true });
  t.match(at('/procedure', 'tmpfs'), { onProc: false });
  for (const destination of ['/', '.', '/../', 'a/..']) {
    t.throws(() => at(destination, 'tmpfs'), { message: /^\/mounts\/0\/destination: a mount on \// });
  }
  for (const destination of ['/proc/sys', '/proc/self/attr/exec', '/x/../proc/1', '/proc/meminfo/x']) {
    t.throws(() => at(destination, undefined), { message: /inside \/proc/ });
  }
  t.throws(() => at('/proc', 'tmpfs'), { message: /^\/mounts\/0\/type: only a filesystem of type proc/ });
});
