import type { LinuxSeccomp, Scheduler } from '../../../../src/generated/spec.ts';
import type { Example } from './example.ts';

/** A change of the example, and what validation finds. */
export interface RuleCase {
  rule: string;
  what: string;
  change: (spec: Example) => void;
  /** Pointer of the one finding; undefined if there is none. */
  at: string | undefined;
  says?: RegExp;
}

const general: RuleCase[] = [
  ...['1.0.2-dev', '1.3.0+dev', '1.4.0', '1.99.7-rc.1+x.y'].map((version) => ({
    rule: 'oci-version',
    what: `${version} is accepted`,
    change: (spec: Example) => {
      spec.ociVersion = version;
    },
    at: undefined,
  })),
  ...['0.9.0', '2.0.0'].map((version) => ({
    rule: 'oci-version',
    what: `${version} is of another major version`,
    change: (spec: Example) => {
      spec.ociVersion = version;
    },
    at: '/ociVersion',
    says: /must be a version 1\.x/,
  })),
  ...['1', '1.3', 'v1.3.0', '', '01.3.0'].map((version) => ({
    rule: 'oci-version',
    what: `${JSON.stringify(version)} is not SemVer`,
    change: (spec: Example) => {
      spec.ociVersion = version;
    },
    at: '/ociVersion',
    says: /must be a SemVer version/,
  })),
  {
    rule: 'root-path-empty',
    what: 'empty',
    change: (s) => {
      s.root.path = '';
    },
    at: '/root/path',
  },
  {
    rule: 'hostname',
    what: 'without a uts namespace',
    change: (s) => {
      s.linux.namespaces = [{ type: 'pid' }];
    },
    at: '/hostname',
    says: /needs a uts namespace/,
  },
  {
    rule: 'hostname',
    what: 'with a joined uts namespace',
    change: (s) => {
      s.linux.namespaces = [{ type: 'uts', path: '/proc/1/ns/uts' }];
    },
    at: undefined,
  },
  {
    rule: 'hostname',
    what: '64 bytes',
    change: (s) => {
      s.hostname = 'h'.repeat(64);
    },
    at: undefined,
  },
  {
    rule: 'hostname',
    what: '65 bytes',
    change: (s) => {
      s.hostname = `${'h'.repeat(63)}ü`;
    },
    at: '/hostname',
  },
  {
    rule: 'domainname',
    what: 'without a uts namespace',
    change: (s) => {
      s.linux.namespaces = [];
      s.hostname = '';
      s.domainname = 'x.org';
    },
    at: '/domainname',
  },
  {
    rule: 'hook-path-absolute',
    what: 'relative',
    change: (s) => {
      s.hooks = { poststop: [{ path: '/bin/a' }, { path: 'bin/b' }] };
    },
    at: '/hooks/poststop/1/path',
  },
  {
    rule: 'hook-environment',
    what: 'without =',
    change: (s) => {
      s.hooks = { createRuntime: [{ path: '/a', env: ['A=', 'B'] }] };
    },
    at: '/hooks/createRuntime/0/env/1',
  },
  ...['run.oci.handler', 'run.oci.seccomp_bpf_data', 'run.oci.seccomp_fail_unknown_syscall'].map((name) => ({
    rule: 'annotation-refused',
    what: name,
    change: (s: Example) => {
      s.annotations = { [name]: 'x' };
    },
    at: `/annotations/${name}`,
    says: /not honoured/,
  })),
  {
    rule: 'annotation-mount-context',
    what: 'no option of SELinux',
    change: (s) => {
      s.annotations = { 'run.oci.mount_context_type': 'size' };
    },
    at: '/annotations/run.oci.mount_context_type',
    says: /must be one of context, rootcontext/,
  },
  {
    rule: 'annotation-name-empty',
    what: 'empty',
    change: (s) => {
      s.annotations = { '': 'x' };
    },
    at: '/annotations',
  },
];

const process: RuleCase[] = [
  {
    rule: 'user-ids',
    what: 'uid -1, which would leave the process root',
    change: (s) => {
      s.process.user = { uid: 4294967295, gid: 0 };
    },
    at: '/process/user/uid',
    says: /at most 4294967294/,
  },
  {
    rule: 'user-ids',
    what: 'gid -1',
    change: (s) => {
      s.process.user = { uid: 0, gid: 4294967295 };
    },
    at: '/process/user/gid',
  },
  {
    rule: 'user-ids',
    what: 'the largest there are',
    change: (s) => {
      s.process.user = { uid: 4294967294, gid: 4294967294, additionalGids: [4294967294] };
    },
    at: undefined,
  },
  {
    rule: 'user-ids',
    what: 'additional gid -1',
    change: (s) => {
      s.process.user = { uid: 0, gid: 0, additionalGids: [1, 4294967295] };
    },
    at: '/process/user/additionalGids/1',
  },
  {
    rule: 'user-ids',
    what: 'more groups than the kernel takes',
    change: (s) => {
      s.process.user = { uid: 0, gid: 0, additionalGids: Array.from({ length: 65537 }, (_, gid) => gid) };
    },
    at: '/process/user/additionalGids',
  },
  {
    rule: 'cwd-absolute',
    what: 'relative',
    change: (s) => {
      s.process.cwd = 'tmp';
    },
    at: '/process/cwd',
    says: /absolute path, found "tmp"/,
  },
  {
    rule: 'program-name-empty',
    what: 'empty',
    change: (s) => {
      s.process.args = ['', 'x'];
    },
    at: '/process/args/0',
  },
  {
    rule: 'environment',
    what: 'without =',
    change: (s) => {
      s.process.env = ['A=1', 'PATH'];
    },
    at: '/process/env/1',
  },
  {
    rule: 'environment',
    what: 'without a name',
    change: (s) => {
      s.process.env = ['=1'];
    },
    at: '/process/env/0',
  },
  {
    rule: 'umask',
    what: 'too large',
    change: (s) => {
      s.process.user = { uid: 0, gid: 0, umask: 0o1000 };
    },
    at: '/process/user/umask',
  },
  {
    rule: 'rlimit-duplicate',
    what: 'twice',
    change: (s) => {
      s.process.rlimits = [
        { type: 'RLIMIT_CPU', soft: 1, hard: 2 },
        { type: 'RLIMIT_CPU', soft: 1, hard: 2 },
      ];
    },
    at: '/process/rlimits/1',
    says: /"RLIMIT_CPU" was given before, at \/process\/rlimits\/0/,
  },
  {
    rule: 'rlimit-soft-above-hard',
    what: 'soft above hard',
    change: (s) => {
      s.process.rlimits = [{ type: 'RLIMIT_CPU', soft: 3, hard: 2 }];
    },
    at: '/process/rlimits/0/soft',
  },
  {
    rule: 'oom-score-adj',
    what: '-1000',
    change: (s) => {
      s.process.oomScoreAdj = -1000;
    },
    at: undefined,
  },
  {
    rule: 'oom-score-adj',
    what: '1001',
    change: (s) => {
      s.process.oomScoreAdj = 1001;
    },
    at: '/process/oomScoreAdj',
  },
  {
    rule: 'console-size',
    what: 'more than 16 bits',
    change: (s) => {
      s.process.terminal = true;
      s.process.consoleSize = { height: 24, width: 65536 };
    },
    at: '/process/consoleSize/width',
  },
  {
    rule: 'exec-cpu-affinity',
    what: 'a list',
    change: (s) => {
      s.process.execCPUAffinity = { initial: '0-3,7', final: '' };
    },
    at: undefined,
  },
  {
    rule: 'exec-cpu-affinity',
    what: 'no list',
    change: (s) => {
      s.process.execCPUAffinity = { initial: '3-0' };
    },
    at: '/process/execCPUAffinity/initial',
  },
  {
    rule: 'exec-cpu-affinity',
    what: 'a hole',
    change: (s) => {
      s.process.execCPUAffinity = { final: '0,,1' };
    },
    at: '/process/execCPUAffinity/final',
  },
  ...scheduler('scheduler-nice', 'too nice', { policy: 'SCHED_OTHER', nice: 20 }, '/nice'),
  ...scheduler('scheduler-nice', 'as Go writes unset', { policy: 'SCHED_FIFO', nice: 0, priority: 1 }, undefined),
  ...scheduler('scheduler-priority', 'with a fair policy', { policy: 'SCHED_BATCH', priority: 1 }, '/priority'),
  ...scheduler('scheduler-priority', 'missing', { policy: 'SCHED_FIFO' }, '/priority'),
  ...scheduler('scheduler-deadline', 'with another policy', { policy: 'SCHED_OTHER', period: 1 }, '/period'),
  ...scheduler('scheduler-deadline', 'ordered', { policy: 'SCHED_DEADLINE', runtime: 1, deadline: 2 }, undefined),
  ...scheduler(
    'scheduler-deadline',
    'not ordered',
    { policy: 'SCHED_DEADLINE', runtime: 3, deadline: 2, period: 4 },
    '',
  ),
  {
    rule: 'io-priority',
    what: '8',
    change: (s) => {
      s.process.ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 8 };
    },
    at: '/process/ioPriority/priority',
  },
];

function scheduler(rule: string, what: string, value: Scheduler, at: string | undefined): RuleCase[] {
  const change = (spec: Example): void => {
    spec.process.scheduler = value;
  };
  return [{ rule, what, change, at: at === undefined ? undefined : `/process/scheduler${at}` }];
}

const map = { containerID: 0, hostID: 1000, size: 10 };

const namespaces: RuleCase[] = [
  {
    rule: 'namespace-duplicate',
    what: 'twice',
    change: (s) => {
      s.linux.namespaces.push({ type: 'pid' });
    },
    at: '/linux/namespaces/5',
  },
  {
    rule: 'namespace-path-absolute',
    what: 'relative',
    change: (s) => {
      s.linux.namespaces.push({ type: 'cgroup', path: 'x' });
    },
    at: '/linux/namespaces/5/path',
  },
  {
    rule: 'namespace-path-absolute',
    what: 'empty is unset',
    change: (s) => {
      s.linux.namespaces.push({ type: 'cgroup', path: '' });
    },
    at: undefined,
  },
  {
    rule: 'mappings-without-user-namespace',
    what: 'one of two',
    change: (s) => {
      s.linux.gidMappings = [map];
    },
    at: '/linux/gidMappings',
  },
  {
    rule: 'mapping-count',
    what: 'more than the kernel takes',
    change: (s) => {
      s.linux.namespaces.push({ type: 'user' });
      s.linux.gidMappings = [map];
      s.linux.uidMappings = Array.from({ length: 341 }, (_, n) => ({ containerID: n, hostID: n, size: 1 }));
    },
    at: '/linux/uidMappings',
    says: /at most 340/,
  },
  {
    rule: 'user-namespace-without-mappings',
    what: 'no gids',
    change: (s) => {
      s.linux.namespaces.push({ type: 'user' });
      s.linux.uidMappings = [map];
    },
    at: '/linux',
    says: /needs gidMappings/,
  },
  {
    rule: 'user-namespace-without-mappings',
    what: 'joined',
    change: (s) => {
      s.linux.namespaces.push({ type: 'user', path: '/proc/1/ns/user' });
    },
    at: undefined,
  },
  ...mapping('empty', [{ ...map, size: 0 }], '/0/size'),
  ...mapping('beyond the last ID', [{ ...map, hostID: 2 ** 32 - 9 }], '/0/hostID'),
  ...mapping('up to the last ID', [{ ...map, hostID: 2 ** 32 - 10 }], undefined),
  ...mapping('overlap on the host', [map, { containerID: 10, hostID: 1009, size: 1 }], '/1'),
  ...mapping('overlap in the container', [map, { containerID: 9, hostID: 1010, size: 1 }], '/1'),
  ...mapping('side by side', [map, { containerID: 10, hostID: 1010, size: 1 }], undefined),
  {
    rule: 'time-offsets-namespace',
    what: 'no namespace',
    change: (s) => {
      s.linux.timeOffsets = { monotonic: { secs: 1 } };
    },
    at: '/linux/timeOffsets',
  },
  {
    rule: 'time-offsets-namespace',
    what: 'joined',
    change: (s) => {
      s.linux.namespaces.push({ type: 'time', path: '/x' });
      s.linux.timeOffsets = { boottime: { secs: 1 } };
    },
    at: '/linux/timeOffsets',
  },
  {
    rule: 'time-offsets',
    what: 'an unknown clock',
    change: (s) => {
      s.linux.namespaces.push({ type: 'time' });
      s.linux.timeOffsets = { monotonc: { secs: 1 } } as object;
    },
    at: '/linux/timeOffsets/monotonc',
  },
  {
    rule: 'time-offsets',
    what: 'a second of nanoseconds',
    change: (s) => {
      s.linux.namespaces.push({ type: 'time' });
      s.linux.timeOffsets = { boottime: { nanosecs: 1e9 } };
    },
    at: '/linux/timeOffsets/boottime/nanosecs',
  },
];

function mapping(what: string, uidMappings: (typeof map)[], at: string | undefined): RuleCase[] {
  const change = (s: Example): void => {
    s.linux.namespaces.push({ type: 'user' });
    Object.assign(s.linux, { uidMappings, gidMappings: [map] });
  };
  return [{ rule: 'mapping-ranges', what, change, at: at === undefined ? undefined : `/linux/uidMappings${at}` }];
}

const mounts: RuleCase[] = [
  {
    rule: 'mount-bind-source',
    what: 'missing',
    change: (s) => {
      s.mounts = [{ destination: '/x', options: ['ro', 'rbind'] }];
    },
    at: '/mounts/0',
  },
  {
    rule: 'mount-mappings-pair',
    what: 'only uids',
    change: (s) => {
      s.mounts = [{ destination: '/x', uidMappings: [map] }];
    },
    at: '/mounts/0/uidMappings',
  },
  {
    rule: 'mount-mapping-ranges',
    what: 'empty',
    change: (s) => {
      s.mounts = [{ destination: '/x', uidMappings: [map], gidMappings: [{ ...map, size: 0 }] }];
    },
    at: '/mounts/0/gidMappings/0/size',
  },
  {
    rule: 'mount-mapping-count',
    what: 'more than the kernel takes',
    change: (s) => {
      const gidMappings = Array.from({ length: 341 }, (_, n) => ({ containerID: n, hostID: n, size: 1 }));
      s.mounts = [{ destination: '/x', uidMappings: [map], gidMappings }];
    },
    at: '/mounts/0/gidMappings',
    says: /at most 340/,
  },
  {
    rule: 'mount-idmap-without-mappings',
    what: 'nothing to map by',
    change: (s) => {
      s.mounts = [{ destination: '/x', source: '/y', options: ['bind', 'ridmap'] }];
    },
    at: '/mounts/0/options/1',
  },
  {
    rule: 'mount-idmap-without-mappings',
    what: 'the mappings of the container',
    change: (s) => {
      s.linux.namespaces.push({ type: 'user', path: '/x' });
      s.mounts = [{ destination: '/x', source: '/y', options: ['bind', 'idmap'] }];
    },
    at: undefined,
  },
  {
    rule: 'mount-destination-empty',
    what: 'empty',
    change: (s) => {
      s.mounts = [{ destination: '' }];
    },
    at: '/mounts/0/destination',
  },
];

const linux: RuleCase[] = [
  {
    rule: 'device-path-absolute',
    what: 'relative',
    change: (s) => {
      s.linux.devices = [{ path: 'x', type: 'p' }];
    },
    at: '/linux/devices/0/path',
  },
  {
    rule: 'device-path-file',
    what: 'the root directory',
    change: (s) => {
      s.linux.devices = [{ path: '/', type: 'p' }];
    },
    at: '/linux/devices/0/path',
  },
  {
    rule: 'device-owner',
    what: 'uid -1',
    change: (s) => {
      s.linux.devices = [{ path: '/x', type: 'p', uid: 4294967295 }];
    },
    at: '/linux/devices/0/uid',
  },
  {
    rule: 'device-numbers',
    what: 'missing',
    change: (s) => {
      s.linux.devices = [{ path: '/x', type: 'c', major: 1 }];
    },
    at: '/linux/devices/0',
    says: /needs a minor number/,
  },
  {
    rule: 'device-numbers',
    what: 'too large',
    change: (s) => {
      s.linux.devices = [{ path: '/x', type: 'u', major: 4096, minor: 1 }];
    },
    at: '/linux/devices/0/major',
  },
  {
    rule: 'device-numbers',
    what: 'as Go writes unset',
    change: (s) => {
      s.linux.devices = [{ path: '/x', type: 'p', major: 0, minor: 0 }];
    },
    at: undefined,
  },
  {
    rule: 'device-path-duplicate',
    what: 'other numbers',
    change: (s) => {
      s.linux.devices = [
        { path: '/x', type: 'c', major: 1, minor: 3 },
        { path: '/x', type: 'c', major: 1, minor: 5 },
      ];
    },
    at: '/linux/devices/1',
  },
  {
    rule: 'net-device-namespace',
    what: 'none',
    change: (s) => {
      s.linux.namespaces = [{ type: 'uts' }];
      s.linux.netDevices = { eth0: {} };
    },
    at: '/linux/netDevices',
  },
  {
    rule: 'net-device-name',
    what: 'too long',
    change: (s) => {
      s.linux.netDevices = { eth0: { name: 'e'.repeat(16) } };
    },
    at: '/linux/netDevices/eth0/name',
  },
  {
    rule: 'net-device-name',
    what: 'with a slash',
    change: (s) => {
      s.linux.netDevices = { 'a/b': {} };
    },
    at: '/linux/netDevices/a~1b',
  },
  {
    rule: 'net-device-name',
    what: 'a template',
    change: (s) => {
      s.linux.netDevices = { eth0: { name: 'eth%d' } };
    },
    at: undefined,
  },
  {
    rule: 'net-device-name',
    what: 'another template',
    change: (s) => {
      s.linux.netDevices = { eth0: { name: 'eth%s' } };
    },
    at: '/linux/netDevices/eth0/name',
  },
  {
    rule: 'net-device-duplicate',
    what: 'one name',
    change: (s) => {
      s.linux.netDevices = { eth0: {}, eth1: { name: 'eth0' } };
    },
    at: '/linux/netDevices/eth1',
  },
  ...sysctl('kernel.hostname', false),
  ...sysctl('vm.swappiness', false),
  ...sysctl('kernel.shm_rmid_forced', true),
  ...sysctl('fs/mqueue/msg_max', true),
  ...sysctl('kernel.domainname', true),
  ...sysctl('net.ipv4.ip_forward', true),
  ...sysctl('net/ipv4/conf/eth0.1/mtu', true),
  ...sysctl('user.max_user_namespaces', false),
  ...sysctl('net/../vm/swappiness', false),
  ...sysctl('net.ipv4..x', false),
  ...sysctl('net.ipv4.conf.eth0/1.mtu', true),
  {
    rule: 'masked-path-absolute',
    what: 'the root directory, which no mount hides',
    change: (s) => {
      s.linux.maskedPaths = ['/a', '/./'];
    },
    at: '/linux/maskedPaths/1',
    says: /no effect/,
  },
  {
    rule: 'readonly-path-absolute',
    what: 'the root directory',
    change: (s) => {
      s.linux.readonlyPaths = ['/'];
    },
    at: '/linux/readonlyPaths/0',
  },
  {
    rule: 'cgroups-path',
    what: 'the root of the hierarchy',
    change: (s) => {
      s.linux.cgroupsPath = '/';
    },
    at: '/linux/cgroupsPath',
    says: /of the container's own/,
  },
  {
    rule: 'cgroups-path',
    what: 'the default slice of systemd',
    change: (s) => {
      s.linux.cgroupsPath = ':x:y';
    },
    at: undefined,
  },
  {
    rule: 'masked-path-absolute',
    what: 'relative',
    change: (s) => {
      s.linux.maskedPaths = ['/a', 'proc'];
    },
    at: '/linux/maskedPaths/1',
  },
  {
    rule: 'readonly-path-absolute',
    what: 'relative',
    change: (s) => {
      s.linux.readonlyPaths = [''];
    },
    at: '/linux/readonlyPaths/0',
  },
  {
    rule: 'cgroups-path',
    what: 'out of the hierarchy',
    change: (s) => {
      s.linux.cgroupsPath = '/a/../../b';
    },
    at: '/linux/cgroupsPath',
  },
  {
    rule: 'cgroups-path',
    what: 'slice form',
    change: (s) => {
      s.linux.cgroupsPath = 'a..slice:x:y';
    },
    at: undefined,
  },
  {
    rule: 'personality-flags',
    what: 'any',
    change: (s) => {
      s.linux.personality = { domain: 'LINUX', flags: ['X'] };
    },
    at: '/linux/personality/flags/0',
  },
  {
    rule: 'memory-policy',
    what: 'no mode',
    change: (s) => {
      s.linux.memoryPolicy = { nodes: '0' };
    },
    at: '/linux/memoryPolicy',
  },
  {
    rule: 'memory-policy',
    what: 'no nodes',
    change: (s) => {
      s.linux.memoryPolicy = { mode: 'MPOL_BIND' };
    },
    at: '/linux/memoryPolicy',
  },
  {
    rule: 'memory-policy',
    what: 'nodes for local',
    change: (s) => {
      s.linux.memoryPolicy = { mode: 'MPOL_LOCAL', nodes: '0' };
    },
    at: '/linux/memoryPolicy/nodes',
  },
  {
    rule: 'memory-policy',
    what: 'flags that exclude each other',
    change: (s) => {
      s.linux.memoryPolicy = { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'] };
    },
    at: '/linux/memoryPolicy/flags',
  },
  {
    rule: 'intel-rdt-clos-id',
    what: 'a path',
    change: (s) => {
      s.linux.intelRdt = { closID: '../x' };
    },
    at: '/linux/intelRdt/closID',
  },
  {
    rule: 'intel-rdt-clos-id',
    what: 'the default class',
    change: (s) => {
      s.linux.intelRdt = { closID: '/' };
    },
    at: undefined,
  },
];

function sysctl(key: string, isFine: boolean): RuleCase[] {
  const change = (s: Example): void => {
    s.linux.sysctl = { [key]: '1' };
  };
  const at = `/linux/sysctl/${key.replaceAll('/', '~1')}`;
  return [
    { rule: 'sysctl', what: `${key} is ${isFine ? 'accepted' : 'refused'}`, change, at: isFine ? undefined : at },
  ];
}

const resources: RuleCase[] = [
  {
    rule: 'memory-values',
    what: '-2',
    change: (s) => {
      s.linux.resources = { memory: { limit: -2 } };
    },
    at: '/linux/resources/memory/limit',
  },
  {
    rule: 'memory-swap',
    what: 'below the limit',
    change: (s) => {
      s.linux.resources = { memory: { limit: 9, swap: 8 } };
    },
    at: '/linux/resources/memory/swap',
  },
  {
    rule: 'memory-swap',
    what: 'without a limit',
    change: (s) => {
      s.linux.resources = { memory: { swap: 8 } };
    },
    at: '/linux/resources/memory/swap',
  },
  {
    rule: 'memory-swap',
    what: 'with memory that has none',
    change: (s) => {
      s.linux.resources = { memory: { limit: -1, swap: -1 } };
    },
    at: undefined,
  },
  {
    rule: 'memory-swap',
    what: 'unlimited',
    change: (s) => {
      s.linux.resources = { memory: { limit: 9, swap: -1 } };
    },
    at: undefined,
  },
  {
    rule: 'cpu-burst',
    what: 'above the quota',
    change: (s) => {
      s.linux.resources = { cpu: { quota: 5, burst: 6 } };
    },
    at: '/linux/resources/cpu/burst',
  },
  {
    rule: 'cpu-idle',
    what: '2',
    change: (s) => {
      s.linux.resources = { cpu: { idle: 2 } };
    },
    at: '/linux/resources/cpu/idle',
  },
  {
    rule: 'cpuset-list',
    what: 'no list',
    change: (s) => {
      s.linux.resources = { cpu: { cpus: '0-1', mems: '0-' } };
    },
    at: '/linux/resources/cpu/mems',
  },
  {
    rule: 'block-io-weight-device',
    what: 'no weight',
    change: (s) => {
      s.linux.resources = { blockIO: { weightDevice: [{ major: 8, minor: 0 }] } };
    },
    at: '/linux/resources/blockIO/weightDevice/0',
  },
  {
    rule: 'block-io-weight',
    what: 'below the least',
    change: (s) => {
      s.linux.resources = { blockIO: { weight: 9 } };
    },
    at: '/linux/resources/blockIO/weight',
  },
  {
    rule: 'block-io-weight',
    what: 'above the most, for one disk',
    change: (s) => {
      s.linux.resources = { blockIO: { weight: 1000, weightDevice: [{ major: 8, minor: 0, weight: 1001 }] } };
    },
    at: '/linux/resources/blockIO/weightDevice/0/weight',
  },
  {
    rule: 'hugepage-duplicate',
    what: 'twice',
    change: (s) => {
      s.linux.resources = {
        hugepageLimits: [
          { pageSize: '2MB', limit: 1 },
          { pageSize: '2MB', limit: 2 },
        ],
      };
    },
    at: '/linux/resources/hugepageLimits/1',
  },
  {
    rule: 'rdma-empty',
    what: 'no limit',
    change: (s) => {
      s.linux.resources = { rdma: { mlx5_1: {} } };
    },
    at: '/linux/resources/rdma/mlx5_1',
  },
  {
    rule: 'unified-name',
    what: 'a path',
    change: (s) => {
      s.linux.resources = { unified: { '../memory.max': '1' } };
    },
    at: '/linux/resources/unified/..~1memory.max',
  },
];

const seccomp: RuleCase[] = [
  ...filter(
    'seccomp-size',
    'of all entries together',
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: Array(16_384).fill('read'), action: 'SCMP_ACT_ALLOW' },
        { names: ['write'], action: 'SCMP_ACT_ALLOW' },
      ],
    },
    '/syscalls',
  ),
  ...filter(
    'seccomp-size',
    'of comparisons',
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        {
          names: Array(2049).fill('read'),
          action: 'SCMP_ACT_ALLOW',
          args: [0, 1].map((index) => ({ index, value: 1, op: 'SCMP_CMP_EQ' })),
        },
      ],
    },
    '/syscalls',
  ),
  ...filter(
    'seccomp-errno',
    'an action without',
    { defaultAction: 'SCMP_ACT_KILL', defaultErrnoRet: 1 },
    '/defaultErrnoRet',
  ),
  ...filter(
    'seccomp-errno',
    'in a rule',
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      syscalls: [{ names: ['a'], action: 'SCMP_ACT_ALLOW', errnoRet: 1 }],
    },
    '/syscalls/0/errnoRet',
  ),
  ...filter(
    'seccomp-errno',
    'too large',
    { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 4096 },
    '/defaultErrnoRet',
  ),
  ...filter(
    'seccomp-notify-listener',
    'nobody listens',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] },
    '',
  ),
  ...filter(
    'seccomp-metadata',
    'for nobody',
    { defaultAction: 'SCMP_ACT_ALLOW', listenerMetadata: 'x' },
    '/listenerMetadata',
  ),
  ...filter(
    'seccomp-argument-index',
    '6',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['a'], action: 'SCMP_ACT_LOG', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }],
    },
    '/syscalls/0/args/0/index',
  ),
];

function filter(rule: string, what: string, value: LinuxSeccomp, at: string): RuleCase[] {
  const change = (spec: Example): void => {
    spec.linux.seccomp = value;
  };
  return [{ rule, what, change, at: `/linux/seccomp${at}` }];
}

export const errorCases: RuleCase[] = [
  ...general,
  ...process,
  ...namespaces,
  ...mounts,
  ...linux,
  ...resources,
  ...seccomp,
];
