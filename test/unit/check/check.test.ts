import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { checkBundle, type Report } from '../../../src/check/check.ts';
import { hostProbe, type Probe } from '../../../src/check/probe.ts';
import { reportGithub, reportJson, reportSarif, reportText } from '../../../src/check/report.ts';
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
  /** Answers of the host that differ from this one's. */
  probe?: (path: string) => ReturnType<Probe['kindOf']> | undefined;
  text?: Record<string, string | undefined>;
  /** The error with which compiling the seccomp profile fails. */
  seccomp?: string;
  /** System calls that libseccomp does not know. */
  unknownCalls?: string[];
  /** What the kernel says about options that it refuses. */
  refused?: Record<string, string>;
  /** The bytes of programs in the root filesystem besides /bin/sh. */
  programs?: Record<string, string | Uint8Array>;
  cgroupManager?: CgroupManager;
}

/**
 * Checks a bundle that is right except for the case's edit, on a host that can do everything except what the case takes
 * away.
 */
function check(t: Test, given: Case): Report {
  const { edit, host, probe, text = {}, seccomp, cgroupManager = 'cgroupfs', programs = {} } = given;
  const bundle = t.testdir({ rootfs: { bin: {} } });
  for (const [name, bytes] of Object.entries({ sh: elf(), ...programs })) {
    writeFileSync(join(bundle, 'rootfs/bin', name), bytes, { mode: 0o755 });
  }
  const spec = defaultSpec() as FullSpec;
  edit?.(spec, bundle);
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec, null, 2));
  const asked: Probe = {
    isLink: hostProbe.isLink,
    kindOf: (path) => probe?.(path) ?? (path.startsWith(bundle) ? hostProbe.kindOf(path) : 'file'),
    compileSeccomp: () => {
      if (seccomp !== undefined) throw new TsrunError(seccomp, { about: '/linux/seccomp/syscalls/0' });
      return given.unknownCalls ?? [];
    },
    libseccomp: { version: () => '2.9', names: () => ['open', 'openat', 'unshare'] },
    refusedOptions: (_type, options) => options.map((option) => given.refused?.[option]),
    head: hostProbe.head,
    names: () => [],
    text: (path) => (path in text ? text[path] : path === '/proc/filesystems' ? filesystems : ''),
  };
  return checkBundle({ id: 'c1', bundle, cgroupManager }, capableHost(host), asked);
}

const filesystems = 'nodev\tproc\nnodev\ttmpfs\nnodev\tdevpts\nnodev\tsysfs\nnodev\tcgroup2\nnodev\tmqueue\n';

/** An ELF program of this machine that needs no interpreter, or the given one. */
function elf(interpreter?: string, machine = process.arch === 'arm64' ? 183 : 62): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, interpreter === undefined ? 0 : 1, true);
  view.setUint32(64, 3, true);
  view.setBigUint64(64 + 8, 128n, true);
  view.setBigUint64(64 + 32, BigInt((interpreter ?? '').length + 1), true);
  bytes.set(new TextEncoder().encode(interpreter ?? ''), 128);
  return bytes;
}

/** `pointer: message` of each error. */
function errors(t: Test, given: Case): string[] {
  return check(t, given).errors.map(({ pointer, message }) => `${pointer}: ${message}`);
}

t.test('a bundle that is right on a host that can run it', async (t) => {
  const report = check(t, {});
  t.same([report.errors, report.warnings], [[], []]);
  t.match(reportText(report), /config\.json: no problems found\n$/);
  t.match(JSON.parse(reportJson(report)), { ok: true, errors: [], warnings: [] });
});

t.test('all errors of the config and the host come at once, with their places', async (t) => {
  const report = check(t, {
    edit: (spec) => {
      spec.process.cwd = 'relative';
      spec.process.rlimits = [{ type: 'RLIMIT_CORE', soft: 2, hard: 1 }];
    },
    host: kernel(3, 0),
  });
  t.match(report.errors.slice(1), [{ rule: 'cwd-absolute' }, { rule: 'rlimit-soft-above-hard' }]);
  t.match(report.errors[0], { rule: 'kernel', pointer: '' });
  t.ok(report.errors.slice(1).every(({ line, column }) => line > 1 && column > 1));
  t.match(reportText(report), /^error: .*config\.json:\d+:\d+: \/process\/cwd: .*\n3 errors, 0 warnings\n$/ms);
});

t.test('an entry that validation refuses keeps the numbers of the others, and causes no further errors', async (t) => {
  const found = errors(t, {
    edit: (spec) => {
      spec.process.args = ['no-such-program', ''];
      spec.mounts?.push(
        { destination: '', type: 'tmpfs' },
        { destination: '/data', source: 'nowhere', options: ['bind'] },
        { destination: 5, type: 'tmpfs' } as never,
        { destination: '/more', source: 'nowhere', options: ['bind'] },
      );
      spec.linux.intelRdt = { closID: 'gold' };
    },
    host: { resctrl: null },
  });
  t.match(found.sort(), [
    /^\/linux\/intelRdt: the resctrl filesystem is not mounted/,
    /^\/mounts\/10\/source: there is no/,
    /^\/mounts\/7\/destination: must not be empty/,
    /^\/mounts\/8\/source: there is no/,
    /^\/mounts\/9\/destination: must be a string/,
    /^\/process\/args\/0: "no-such-program"/,
  ]);
  t.equal(found.length, 6);
});

t.test('what needs a refused namespace is no further error', async (t) => {
  const found = errors(t, {
    edit: (spec) => {
      spec.linux.namespaces = [{ type: 'uts', path: 5 as never }, { type: 'pid' }, { type: 'mount' }];
      spec.process.args = ['no-such-program'];
    },
  });
  t.match(found.sort(), [/^\/linux\/namespaces\/0\/path/, /^\/process\/args\/0/]);
  t.equal(found.length, 2);
});

t.test('for a config that lacks almost everything, only that is reported', async (t) => {
  const found = (edit: (spec: FullSpec) => void) => errors(t, { edit });
  t.match(
    found((spec) => {
      for (const name of Object.keys(spec)) delete (spec as unknown as Record<string, unknown>)[name];
    }),
    [/ociVersion/, /root/],
  );
  t.match(
    found((spec) => Object.assign(spec, { linux: [], process: 5 })),
    [/^\/process: must be an object/, /^\/linux: must be an object/],
  );
});

t.test('unknown properties are warnings', async (t) => {
  const report = check(t, { edit: (spec) => Object.assign(spec, { hostnam: 'x' }) });
  t.same(report.errors, []);
  t.match(report.warnings, [{ pointer: '/hostnam', rule: 'unknown-property' }]);
  t.match(reportText(report), /config\.json: no errors found, 1 warning\n$/);
});

t.test('everything that lowering refuses on this host is reported, not only the first', async (t) => {
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

t.test('what only the search for more errors removed is no error', async (t) => {
  t.match(errors(t, { host: { capabilities: 0n } }), [/^\/linux\/namespaces: without privilege/]);
});

t.test('a kernel that is too old', async (t) => {
  t.match(errors(t, { host: kernel(5, 13) }), [/^: tsrun needs Linux 5\.14, this is 5\.13\.0-test$/]);
});

t.test('root.path does not exist, or is not a directory', async (t) => {
  const withRoot = (path: string) => ({
    edit: (spec: FullSpec) => {
      spec.root = { path };
    },
  });
  t.match(errors(t, withRoot('nowhere')), [/^\/root\/path: .*nowhere does not exist$/]);
  t.match(errors(t, withRoot('rootfs/bin/sh')), [/^\/root\/path: .* is not a directory$/]);
});

t.test('namespaces that the kernel does not have, or that cannot be joined', async (t) => {
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
  t.match(report.errors, [
    { pointer: '/mounts/7/source', message: /^there is no .*\/data$/ },
    { pointer: '/mounts/9/type', message: /no filesystem "oddfs"/ },
  ]);
});

t.test('a filesystem in a module is not probed', async (t) => {
  const edit = (spec: FullSpec) => void spec.mounts?.push({ destination: '/odd', source: 'odd', type: 'oddfs' });
  const { release } = capableHost().kernel;
  const aliases = `/lib/modules/${release}/modules.alias`;
  const known = check(t, { edit, text: { [aliases]: '# x\nalias fs-oddfs odd\n' } });
  t.match([known.errors, known.warnings], [[], [{ pointer: '/mounts/7/type', message: /load the module odd / }]]);
  const untold = check(t, { edit, text: { [aliases]: undefined } });
  t.match([untold.errors, untold.warnings], [[], [{ message: /unless a module brings it/ }]]);
});

t.test('options that a filesystem does not take', async (t) => {
  const found = errors(t, {
    edit: (spec) => {
      spec.mounts?.push(
        { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=12q', 'mode=755'] },
        { destination: '/p', type: 'devpts', source: 'devpts', options: ['newinstance', 'modee=0620', 'gid=5'] },
      );
    },
    refused: { 'size=12q': "tmpfs: Bad value for 'size'" },
  });
  t.match(found, [
    /^\/mounts\/7\/options\/1: the kernel refuses the option "size=12q": tmpfs: Bad value/,
    /^\/mounts\/8\/options\/1: .*"modee=0620"/,
  ]);
});

t.test('what the kernel needs to execute the program', async (t) => {
  const run = (args: string[], programs: Case['programs']) =>
    errors(t, { edit: ({ process }) => void Object.assign(process, { args }), programs: programs ?? {} });
  t.same(run(['/bin/a'], { a: elf('/bin/b'), b: elf() }), []);
  t.match(run(['a'], { a: elf('/lib/ld.so') }), [
    /^\/process\/args\/0: the ELF interpreter \/lib\/ld\.so of \/bin\/a is not/,
  ]);
  t.match(run(['a'], { a: elf(undefined, 243) }), [/a program for RISC-V, and this machine is/]);
  t.match(run(['a'], { a: elf().subarray(0, 20) }), [/cut off/]);
  t.same(run(['a'], { a: '#!/bin/sh -e\n' }), []);
  t.match(run(['a'], { a: '#!/usr/bin/python3\n' }), [
    /the interpreter "\/usr\/bin\/python3" of \/bin\/a is not in the root/,
  ]);
  t.match(run(['a'], { a: '#!/bin/b\n', b: elf('/no') }), [/ELF interpreter \/no of \/bin\/b/]);
  t.match(run(['a'], { a: 'echo hello\n' }), [/neither an ELF program nor a script/]);
  t.match(run(['a'], { a: '' }), [/neither an ELF/]);
  t.match(
    check(t, { edit: ({ process }) => void Object.assign(process, { args: ['a'] }), programs: { a: '#!/bin/sh\r\n' } })
      .errors,
    [{ hint: /Windows/ }],
  );
  t.match(run(['a'], { a: '#!/bin/a\n' }), [], 'a circle ends');
});

t.test('a dangling link may be a source if it is copied', async (t) => {
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
  t.match(errors(t, withArgs(['nothing'])), [/^\/process\/args\/0: "nothing" is not in any directory of PATH=/]);
  t.match(errors(t, withArgs(['/bin/nothing'])), [/^\/process\/args\/0: there is no \/bin\/nothing in/]);
  t.match(errors(t, withArgs(['/bin'])), [/\/bin is a directory/]);
  const plain = (_: FullSpec, bundle: string) => writeFileSync(join(bundle, 'rootfs/bin/plain'), '', { mode: 0o644 });
  t.match(errors(t, withArgs(['plain'], plain)), [/^\/process\/args\/0: \/bin\/plain is not an executable file/]);
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

t.test('unknown system calls', async (t) => {
  const { errors, warnings } = check(t, {
    edit: (spec) => {
      spec.linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [
          { names: ['unshre'], action: 'SCMP_ACT_ERRNO' },
          { names: ['opennat'], action: 'SCMP_ACT_KILL' },
        ],
      };
    },
    unknownCalls: ['unshre', 'opennat'],
  });
  t.same(errors, []);
  t.match(warnings, [
    { pointer: '/linux/seccomp/syscalls', message: /denies nothing/ },
    { pointer: '/linux/seccomp/syscalls/0/names/0', message: /"unshre", so it is not denied/, hint: /"unshare"/ },
    { pointer: '/linux/seccomp/syscalls/1/names/0', hint: /"openat"/ },
  ]);
});

t.test('seccomp: rules that do something else than they say', async (t) => {
  const allow = { action: 'SCMP_ACT_ALLOW' } as const;
  const refuse = { action: 'SCMP_ACT_ERRNO', errnoRet: 22 } as const;
  const args = [{ index: 0, value: 5, op: 'SCMP_CMP_EQ' }] as const;
  const warnings = (syscalls: object[]) =>
    check(t, {
      edit: (spec) => {
        spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: syscalls as never };
      },
    }).warnings;
  const lost = { pointer: '/linux/seccomp/syscalls/1/args', message: /^has no effect on open: \S*syscalls\/0 / };
  t.match(
    warnings([
      { names: ['open'], ...refuse },
      { names: ['open', 'close'], ...allow, args },
    ]),
    [lost],
  );
  const [warning] = warnings([
    { names: ['open'], ...refuse, args },
    { names: ['open'], action: 'SCMP_ACT_ERRNO' },
  ]);
  t.match(warning, { pointer: '/linux/seccomp/syscalls/0/args', message: / SCMP_ACT_ERRNO 1, whatever / });
  t.same(
    warnings([
      { names: ['open'], ...refuse },
      { names: ['open'], ...refuse, args },
    ]),
    [],
    'the same answer',
  );
  t.same(
    warnings([
      { names: ['open'], ...refuse, args },
      { names: ['close'], ...allow },
    ]),
    [],
    'another call',
  );
  const masked = (value: number, valueTwo: number) =>
    warnings([{ names: ['open'], ...refuse, args: [{ index: 0, value, valueTwo, op: 'SCMP_CMP_MASKED_EQ' }] }]);
  t.match(masked(0x0f, 0x1f), [
    { pointer: /\/args\/0\/valueTwo$/, message: /0x1f has bits outside the mask 0xf.*0xf$/ },
  ]);
  t.same(masked(0x0f, 0x0f), []);
  const twice = [...args, { index: 0, value: 6, op: 'SCMP_CMP_EQ' }];
  t.match(warnings([{ names: ['open'], ...refuse, args: twice }]), [
    { pointer: /\/args\/1\/index$/, message: /^argument 0 has several conditions/ },
  ]);
});

t.test('a user by name only, a cgroup as systemd’s driver names it, capabilities without CAP_', async (t) => {
  const { warnings } = check(t, {
    edit: (spec) => {
      spec.process.user = { username: 'www' };
      spec.linux.cgroupsPath = 'system.slice:tsrun:web';
      spec.process.capabilities = { bounding: ['NET_ADMIN'] };
    },
  });
  const expected: Record<string, RegExp> = {
    '/process/user/username': /without uid the program runs as root/,
    '/linux/cgroupsPath': /slice:prefix:name/,
    '/process/capabilities/bounding/0': /unknown capability "NET_ADMIN"/,
  };
  for (const [pointer, message] of Object.entries(expected)) {
    t.match(warnings.find((warning) => warning.pointer === pointer)?.message, message);
  }
  t.match(
    warnings.find(({ hint }) => hint?.includes('CAP_NET_ADMIN')),
    { rule: 'capability-unknown' },
  );
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
        // Looked up in the container, not on the host.
        startContainer: [{ path: '/nowhere' }],
      };
    },
    probe: (path) => (path === '/nowhere' ? 'missing' : path === '/usr/bin/there' ? 'program' : undefined),
  });
  t.same(found, ['/hooks/poststop/0/path: there is no /nowhere']);
});

t.test('links in a root filesystem start from its root', async (t) => {
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

t.test('a limit without its controller is named, whatever else its object must have', async (t) => {
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

t.test('SARIF and workflow commands name each finding', async (t) => {
  const report = check(t, {
    edit: (spec) => {
      spec.process.cwd = '50%,\nrelative: x';
      Object.assign(spec, { hostnam: 'x' });
    },
  });
  const directory = report.path.slice(0, report.path.lastIndexOf('/'));
  const { version, runs } = JSON.parse(reportSarif(report, directory));
  t.equal(version, '2.1.0');
  const [{ tool, results, columnKind }] = runs;
  t.equal(columnKind, 'unicodeCodePoints');
  t.match(results, [
    { ruleId: 'cwd-absolute', level: 'error' },
    { ruleId: 'unknown-property', level: 'warning' },
  ]);
  for (const { ruleId, ruleIndex, locations, message } of results) {
    t.equal(tool.driver.rules[ruleIndex].id, ruleId);
    const [{ physicalLocation: at, logicalLocations }] = locations;
    t.equal(at.artifactLocation.uri, 'config.json');
    t.ok(at.region.startLine > 1 && at.region.startColumn > 1);
    t.ok(message.text.startsWith(`${logicalLocations[0].fullyQualifiedName}: `));
  }
  t.match(JSON.parse(reportSarif(report, '/elsewhere')).runs[0].results[0].locations[0], {
    physicalLocation: { artifactLocation: { uri: `file://${report.path}` } },
  });
  const [first, second, ...none] = reportGithub(report, directory).trimEnd().split('\n');
  t.match(first, /^::error file=config\.json,line=\d+,col=\d+,title=cwd-absolute::\/process\/cwd: .*50%25,/);
  t.match(second, /^::warning file=config\.json,line=\d+,col=\d+,title=unknown-property::\/hostnam: /);
  t.same(none, []);
});
