import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkBundle, type Report } from '../../../src/check/check.ts';
import { hostProbe, type Probe } from '../../../src/check/probe.ts';
import { reportJson, reportText } from '../../../src/check/report.ts';
import { resolveInRootfs } from '../../../src/check/rootfs.ts';
import { TsrunError } from '../../../src/errors.ts';
import type { HostFacts } from '../../../src/host/facts.ts';
import type { CgroupManager } from '../../../src/lower/context.ts';
import { defaultSpec } from '../../../src/template/template.ts';
import { capableHost } from '../lower/host.ts';
import { type FullSpec, kernel } from '../lower/lowering.ts';

interface Case {
  edit?: (spec: FullSpec, bundle: string) => void;
  host?: Partial<HostFacts>;
  /** What the host answers otherwise than this one. */
  probe?: (path: string) => ReturnType<Probe['kindOf']> | undefined;
  text?: Record<string, string | undefined>;
  /** What compiling the seccomp profile fails with. */
  seccomp?: string;
  cgroupManager?: CgroupManager;
}

/** Checks a bundle that is right but for the case's edit, on a host that can do all but what the case takes away. */
function check(t: Test, { edit, host, probe, text = {}, seccomp, cgroupManager = 'cgroupfs' }: Case): Report {
  const bundle = t.testdir({ rootfs: { bin: {} } });
  writeFileSync(join(bundle, 'rootfs/bin/sh'), '', { mode: 0o755 });
  const spec = defaultSpec() as FullSpec;
  edit?.(spec, bundle);
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec, null, 2));
  const asked: Probe = {
    isLink: hostProbe.isLink,
    kindOf: (path) => probe?.(path) ?? (path.startsWith(bundle) ? hostProbe.kindOf(path) : 'file'),
    compileSeccomp: () => {
      if (seccomp !== undefined) throw new TsrunError(seccomp, { about: '/linux/seccomp/syscalls/0' });
    },
    text: (path) => (path in text ? text[path] : path === '/proc/filesystems' ? filesystems : ''),
  };
  return checkBundle({ id: 'c1', bundle, cgroupManager }, capableHost(host), asked);
}

const filesystems = 'nodev\tproc\nnodev\ttmpfs\nnodev\tdevpts\nnodev\tsysfs\nnodev\tcgroup2\nnodev\tmqueue\n';

/** `pointer: message` of each error. */
function errors(t: Test, given: Case): string[] {
  return check(t, given).errors.map(({ pointer, message }) => `${pointer}: ${message}`);
}

t.test('a bundle that is right on a host that can run it', async (t) => {
  const report = check(t, {});
  t.same([report.errors, report.warnings], [[], []]);
  t.match(reportText(report), /config\.json is right, and this host can run it\n$/);
  t.match(JSON.parse(reportJson(report)), { ok: true, errors: [], warnings: [] });
});

t.test('errors of the config come all at once with their places, and the host is not asked', async (t) => {
  const report = check(t, {
    edit: (spec) => {
      spec.process.cwd = 'relative';
      spec.process.rlimits = [{ type: 'RLIMIT_CORE', soft: 2, hard: 1 }];
    },
    host: kernel(3, 0),
  });
  t.match(report.errors, [{ rule: 'cwd-absolute' }, { rule: 'rlimit-soft-above-hard' }]);
  t.ok(report.errors.every(({ line, column }) => line > 1 && column > 1));
  t.match(reportText(report), /^error: .*config\.json:\d+:\d+: \/process\/cwd: .*\n2 errors, 0 warnings\n$/s);
});

t.test('unknown properties are warnings', async (t) => {
  const report = check(t, { edit: (spec) => Object.assign(spec, { hostnam: 'x' }) });
  t.same(report.errors, []);
  t.match(report.warnings, [{ pointer: '/hostnam', rule: 'unknown-property' }]);
  t.match(reportText(report), '(1 warning)');
});

t.test('everything that lowering refuses on this host is told, not only the first', async (t) => {
  const found = errors(t, {
    edit: (spec) => {
      spec.process.apparmorProfile = 'profile';
      spec.linux.memoryPolicy = { mode: 'MPOL_WEIGHTED_INTERLEAVE', nodes: '0' };
      spec.linux.intelRdt = { closID: 'gold' };
    },
    host: { ...kernel(6, 1), lsm: { apparmor: false, selinux: false }, resctrl: null },
  });
  t.match(found.sort(), [
    /^\/linux\/intelRdt: the resctrl filesystem is not mounted/,
    /^\/linux\/memoryPolicy\/mode: MPOL_WEIGHTED_INTERLEAVE needs Linux 6\.9/,
    /^\/process\/apparmorProfile: AppArmor is not enabled/,
  ]);
});

t.test('warnings of lowering', async (t) => {
  const { warnings } = check(t, {
    edit: (spec) => {
      spec.process.capabilities = { bounding: ['CAP_SYS_PTRACE'] };
    },
    host: { capabilities: 0x1ffffffffffn & ~(1n << 19n) },
  });
  t.match(warnings, [{ message: /CAP_SYS_PTRACE cannot be granted here/ }]);
});

t.test('what only the search for more errors took away is no error', async (t) => {
  t.match(errors(t, { host: { capabilities: 0n } }), [/^\/linux\/namespaces: without privilege/]);
});

t.test('a kernel that is too old', async (t) => {
  t.match(errors(t, { host: kernel(5, 13) }), [/^: tsrun needs Linux 5\.14, this is 5\.13\.0-test$/]);
});

t.test('root.path that is not there, or no directory', async (t) => {
  const withRoot = (path: string) => ({
    edit: (spec: FullSpec) => {
      spec.root = { path };
    },
  });
  t.match(errors(t, withRoot('nowhere')), [/^\/root\/path: .*nowhere does not exist$/]);
  t.match(errors(t, withRoot('rootfs/bin/sh')), [/^\/root\/path: .* is no directory$/]);
});

t.test('namespaces that the kernel does not have, or that are not there to join', async (t) => {
  const found = errors(t, {
    edit: (spec) => {
      spec.linux.namespaces = [{ type: 'mount' }, { type: 'time' }, { type: 'ipc', path: '/proc/99/ns/ipc' }];
      delete spec.hostname;
      delete spec.linux.resources;
      spec.mounts = [];
    },
    probe: (path) => (path === '/proc/self/ns/time' || path === '/proc/99/ns/ipc' ? 'missing' : undefined),
  });
  t.same(found, [
    '/linux/namespaces/1: this kernel has no time namespaces',
    '/linux/namespaces/2/path: there is no /proc/99/ns/ipc',
  ]);
});

t.test('user namespaces that the administrator has switched off', async (t) => {
  const found = errors(t, {
    edit: (spec) => {
      spec.linux.namespaces?.push({ type: 'user' });
      spec.linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }];
      spec.linux.gidMappings = [{ containerID: 0, hostID: 1000, size: 1 }];
    },
    text: { '/proc/sys/user/max_user_namespaces': '0\n' },
  });
  t.match(found, [/^\/linux\/namespaces\/6: this host allows no user namespaces$/]);
});

t.test('bind sources and filesystem types', async (t) => {
  const report = check(t, {
    edit: (spec) => {
      spec.mounts?.push(
        { destination: '/data', source: 'data', options: ['bind'] },
        { destination: '/here', source: 'rootfs', options: ['rbind'] },
        { destination: '/odd', source: 'odd', type: 'oddfs' },
      );
    },
  });
  t.match(report.errors, [{ pointer: '/mounts/7/source', message: /^there is no .*\/data$/ }]);
  t.match(report.warnings, [{ pointer: '/mounts/9/type', message: /"oddfs"/ }]);
});

t.test('a link that leads nowhere is a source where it is to be copied', async (t) => {
  const withOption = (...more: string[]) =>
    errors(t, {
      edit: (spec, bundle) => {
        symlinkSync('nowhere', join(bundle, `link${more.length}`));
        spec.mounts?.push({ destination: '/l', source: `link${more.length}`, options: ['bind', ...more] });
      },
    });
  t.match(withOption(), [/there is no/]);
  t.same(withOption('copy-symlink'), []);
});

t.test('the program is searched in the root filesystem', async (t) => {
  const withArgs = (args: string[], more: (spec: FullSpec, bundle: string) => void = () => {}) => ({
    edit: (spec: FullSpec, bundle: string) => {
      spec.process.args = args;
      more(spec, bundle);
    },
  });
  t.same(errors(t, withArgs(['/bin/sh'])), []);
  t.match(errors(t, withArgs(['nothing'])), [/^\/process\/args\/0: "nothing" is in no directory of PATH=/]);
  t.match(errors(t, withArgs(['/bin/nothing'])), [/^\/process\/args\/0: "\/bin\/nothing" is no executable file/]);
  t.match(errors(t, withArgs(['/bin'])), [/is no executable file/]);
  t.same(
    errors(
      t,
      withArgs(['./sh'], (spec) => {
        spec.process.cwd = '/bin';
      }),
    ),
    [],
    'a relative path counts from cwd',
  );
  t.same(
    errors(
      t,
      withArgs(['/opt/tool'], (spec) => spec.mounts?.push({ destination: '/opt', type: 'tmpfs' })),
    ),
    [],
    'what a mount brings is not known',
  );
});

t.test('seccomp: a kernel without it, and a profile that cannot be compiled', async (t) => {
  const edit = (spec: FullSpec) => {
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW' };
  };
  t.same(errors(t, { edit }), []);
  const text = { '/proc/sys/kernel/seccomp/actions_avail': undefined };
  t.match(errors(t, { edit, text }), [/^\/linux\/seccomp: this kernel has no seccomp filters/]);
  t.same(errors(t, { edit, seccomp: 'too odd' }), ['/linux/seccomp/syscalls/0: too odd']);
});

t.test('--systemd-cgroup needs systemd', async (t) => {
  const answer = (kind: 'directory' | 'missing') => (path: string) =>
    path === '/run/systemd/system' ? kind : undefined;
  t.match(errors(t, { cgroupManager: 'systemd', probe: answer('missing') }), [
    /--systemd-cgroup: this host does not run/,
  ]);
  t.same(errors(t, { cgroupManager: 'systemd', probe: answer('directory') }), []);
});

t.test('hooks of the host', async (t) => {
  const found = errors(t, {
    edit: (spec) => {
      spec.hooks = {
        createRuntime: [{ path: '/usr/bin/there' }],
        poststop: [{ path: '/nowhere' }],
        // In the container: not the host's business.
        startContainer: [{ path: '/nowhere' }],
      };
    },
    probe: (path) => (path === '/nowhere' ? 'missing' : path === '/usr/bin/there' ? 'program' : undefined),
  });
  t.same(found, ['/hooks/poststop/0/path: there is no /nowhere']);
});

t.test('links in a root filesystem count from its root', async (t) => {
  const rootfs = t.testdir({ usr: { bin: { tool: '' } } });
  symlinkSync('/usr/bin', join(rootfs, 'bin'));
  symlinkSync('../../../../../usr', join(rootfs, 'up'));
  symlinkSync('loop', join(rootfs, 'loop'));
  mkdirSync(join(rootfs, 'etc'));
  const expected = { inside: '/usr/bin/tool', outside: join(rootfs, 'usr/bin/tool') };
  t.same(resolveInRootfs(rootfs, '/bin/tool'), expected);
  t.same(resolveInRootfs(rootfs, '/up/bin/tool'), expected);
  t.same(resolveInRootfs(rootfs, '/../etc/../bin/./tool'), expected);
  t.equal(resolveInRootfs(rootfs, '/loop'), undefined);
  t.equal(resolveInRootfs(rootfs, '/bin/other'), undefined);
});

t.test('a limit whose controller is missing is named, whatever else its object must have', async (t) => {
  const missing = { mode: 'hybrid', mount: '/sys/fs/cgroup/unified', options: [], controllers: [] } as const;
  const host = { cgroup: { ...missing, v1Controllers: { pids: '/sys/fs/cgroup/pids' }, own: '/', parent: '/' } };
  const limits: [string, object][] = [
    ['/linux/resources/pids/limit', { pids: { limit: 20 } }],
    ['/linux/resources/memory/limit', { memory: { limit: 1 << 24 } }],
    ['/linux/resources/hugepageLimits/0', { hugepageLimits: [{ pageSize: '2MB', limit: 0 }] }],
    ['/linux/resources/rdma/mlx5_0', { rdma: { mlx5_0: { hcaHandles: 1 } } }],
    ['/linux/resources/blockIO/weight', { blockIO: { weight: 100 } }],
    [
      '/linux/resources/blockIO/throttleReadBpsDevice/0',
      { blockIO: { throttleReadBpsDevice: [{ major: 1, minor: 1, rate: 1 }] } },
    ],
    ['/linux/resources/unified/pids.max', { unified: { 'pids.max': '20' } }],
  ];
  for (const [pointer, resources] of limits) {
    const found = errors(t, { host, edit: (spec) => Object.assign(spec.linux.resources ?? {}, resources) });
    t.match(found, [new RegExp(`^${pointer}`)], pointer);
    t.equal(found.length, 1, pointer);
  }
});
