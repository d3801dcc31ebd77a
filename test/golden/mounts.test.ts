/** How mounts, devices and propagation become ops. */
import t from 'tap';
import type { Mount } from '../../src/generated/spec.ts';
import type { HostFacts } from '../../src/host/facts.ts';
import { type EditableSpec, golden, planOf } from './golden.ts';

const mapping = [{ containerID: 0, hostID: 100000, size: 65536 }];

/** The ops about mounts that come from no property. */
const ownDefaults = /^(make-device|bind-device|make-symlink|set-propagation)$/;

/** The lines of the plan that come from these places, its warnings and its notes. */
function lines(places: RegExp, edit: (spec: EditableSpec) => void, host?: Partial<HostFacts>): string {
  const plan = planOf(edit, host).split('\n');
  const wanted = plan.filter((line) => {
    const [op = '', from = ''] = line.split('  <- ');
    const name = op.trim().split(/\s+/)[2] ?? '';
    return /^(warning|note): /.test(line) || (places.test(from) && (from !== 'default' || ownDefaults.test(name)));
  });
  return `${wanted.map((line) => line.replace(/^ *\d+ /, '')).join('\n')}\n`;
}

function withMounts(...mounts: Mount[]) {
  return (spec: EditableSpec) => {
    spec.mounts = mounts;
  };
}

function inUserNamespace(spec: EditableSpec): void {
  spec.linux.namespaces?.push({ type: 'user' });
  spec.linux.uidMappings = mapping;
  spec.linux.gidMappings = mapping;
}

t.test('the default mounts', async (t) => {
  golden(
    t,
    'mounts-default',
    lines(/^\/mounts/, () => {}),
  );
});

t.test('options of new filesystems', async (t) => {
  const tmpfs = (destination: string, ...options: string[]): Mount => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options,
  });
  golden(
    t,
    'mounts-new',
    lines(
      /^\/mounts/,
      withMounts(
        tmpfs('/attributes', 'ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'nosymfollow'),
        tmpfs('/filesystem', 'sync', 'dirsync', 'lazytime', 'mand', 'size=1m', 'nomand'),
        tmpfs('/flags', 'iversion', 'silent', 'sync', 'nosuid', 'size=1m', 'nr_inodes=10'),
        tmpfs('/not-flags', 'iversion', 'noiversion', 'silent', 'loud'),
        tmpfs('/recursive', 'rro', 'rnosuid'),
        tmpfs('/propagation', 'shared', 'runbindable'),
        tmpfs('/copy', 'tmpcopyup', 'ro', 'nosuid'),
        tmpfs('/copy', 'remount', 'rw', 'size=2m'),
      ),
    ),
  );
});

t.test('binds', async (t) => {
  golden(
    t,
    'mounts-bind',
    lines(
      /^\/mounts/,
      withMounts(
        { destination: '/a', source: '/srv', options: ['bind'] },
        { destination: '/b', source: 'relative', options: ['rbind', 'ro', 'nosuid', 'rslave'] },
        { destination: '/c', type: 'tmpfs', source: '/srv', options: ['bind', 'rbind', 'rro', 'rnoatime'] },
        { destination: '/c', options: ['remount', 'bind', 'nodev'] },
        { destination: '/d', source: '/srv', options: ['bind', 'sync', 'iversion', 'async'] },
        { destination: '/proc/uptime', source: '/srv/uptime', options: ['bind'] },
      ),
    ),
  );
});

t.test('ID-mapped mounts', async (t) => {
  const ids = { uidMappings: mapping, gidMappings: [{ containerID: 0, hostID: 5, size: 1 }] };
  golden(
    t,
    'mounts-idmap',
    lines(
      /^\/(mounts|linux\/uidMappings)/,
      withMounts(
        { destination: '/a', source: '/srv', options: ['bind'], ...ids },
        { destination: '/b', source: '/srv', options: ['rbind', 'ridmap'], ...ids },
        { destination: '/c', type: 'tmpfs', options: ['idmap'], ...ids },
      ),
    ),
  );
  golden(
    t,
    'mounts-idmap-user-namespace',
    lines(/^\/(mounts|linux\/uidMappings)/, (spec) => {
      withMounts({ destination: '/a', source: '/srv', options: ['bind', 'idmap'] })(spec);
      inUserNamespace(spec);
    }),
  );
  golden(
    t,
    'mounts-idmap-joined',
    lines(/^\/(mounts|linux\/namespaces\/.*\/path)/, (spec) => {
      withMounts({ destination: '/a', source: '/srv', options: ['bind', 'idmap'] })(spec);
      spec.linux.namespaces?.push({ type: 'user', path: '/proc/7/ns/user' });
    }),
  );
});

t.test('a user namespace: trees of the runtime, fallbacks, devices by bind', async (t) => {
  const edit = (spec: EditableSpec) => {
    inUserNamespace(spec);
    spec.mounts?.push({ destination: '/m', source: '/srv', options: ['rbind'] });
    spec.linux.devices = [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o600 }];
  };
  golden(t, 'mounts-user-namespace', lines(/^(default|\/(mounts|root|linux\/devices))/, edit));
  const ordinary = { uid: 1000, gid: 1000, capabilities: 0n };
  golden(t, 'mounts-rootless', lines(/^\/(mounts|root)/, edit, ordinary));
});

t.test('the cgroup mount', async (t) => {
  const cgroup =
    (...options: string[]) =>
    (spec: EditableSpec) => {
      spec.mounts = [{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options }];
      delete spec.linux.resources;
    };
  const without = (spec: EditableSpec) => {
    spec.linux.namespaces = spec.linux.namespaces?.filter(({ type }) => type !== 'cgroup') ?? [];
    cgroup('rw', 'nosuid')(spec);
  };
  const privileged = (spec: EditableSpec) => {
    without(spec);
    spec.process.capabilities = { bounding: ['CAP_SYS_ADMIN'] };
  };
  golden(
    t,
    'mounts-cgroup',
    [
      lines(/^\/mounts/, cgroup('ro', 'nosuid', 'nsdelegate')),
      lines(/^\/mounts/, without),
      lines(/^\/mounts/, privileged),
      lines(/^\/mounts/, cgroup('ro'), {
        cgroup: { mode: 'none', mount: null, options: [], controllers: [], v1Controllers: {}, own: '/', parent: '/' },
      }),
    ].join('\n'),
  );
});

t.test('devices', async (t) => {
  golden(
    t,
    'devices',
    lines(/^(default|\/linux\/devices)/, (spec) => {
      spec.linux.devices = [
        { type: 'b', path: '/dev/sda', major: 8, minor: 0, fileMode: 0o660, uid: 1, gid: 6 },
        { type: 'u', path: '/dev/../dev/zero', major: 1, minor: 5 },
        { type: 'p', path: '/run/fifo', fileMode: 0o100600 },
      ];
    }),
  );
  golden(
    t,
    'devices-bound-dev',
    lines(/^(default|\/linux\/devices)/, (spec) => {
      spec.mounts = [{ destination: '/dev/', source: '/dev', options: ['rbind'] }];
      spec.linux.devices = [
        { type: 'c', path: '/dev/fuse', major: 10, minor: 229 },
        { type: 'c', path: '/elsewhere', major: 10, minor: 229 },
      ];
    }),
  );
});

t.test('propagation of the root', async (t) => {
  const values = [
    undefined,
    'private',
    'slave',
    'shared',
    'unbindable',
    'rprivate',
    'rslave',
    'rshared',
    'runbindable',
  ] as const;
  const plans = values.map((value) => {
    const plan = lines(/^(\/root|\/linux\/rootfsPropagation|default)/, (spec) => {
      spec.mounts = [];
      if (value !== undefined) spec.linux.rootfsPropagation = value;
    });
    const wanted = plan.split('\n').filter((line) => /propagation/.test(line));
    return `${value ?? 'absent'}:\n${wanted.join('\n')}\n`;
  });
  golden(t, 'rootfs-propagation', plans.join('\n'));
});
