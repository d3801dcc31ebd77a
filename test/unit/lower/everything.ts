import type { Hook, Spec } from '../../../src/generated/spec.ts';
import { v1OnlyProperties } from '../../../src/lower/limits/v1-only.ts';

const hook: Hook[] = [{ path: '/bin/hook', args: ['hook', 'now'], env: ['A=b'], timeout: 3 }];
const mapping = [{ containerID: 0, hostID: 100000, size: 65536 }];
const throttle = [{ major: 8, minor: 0, rate: 1000 }];

/** A config with a value for every Linux property of the schema, as a test checks. */
export function everything(): Spec {
  return {
    ociVersion: '1.3.0',
    root: { path: 'rootfs', readonly: true },
    hostname: 'host',
    domainname: 'domain',
    annotations: { 'com.example.key': 'value' },
    hooks: {
      prestart: hook,
      createRuntime: hook,
      createContainer: hook,
      startContainer: hook,
      poststart: hook,
      poststop: hook,
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        destination: '/data',
        source: '/srv',
        options: ['bind', 'nosuid'],
        uidMappings: mapping,
        gidMappings: mapping,
      },
    ],
    process: everyProcessProperty(),
    linux: everyLinuxProperty(),
  };
}

/** The same without the properties that are always refused with cgroup v2. */
export function everythingPossible(): Spec {
  return without(everything(), v1OnlyProperties);
}

function everyProcessProperty(): NonNullable<Spec['process']> {
  return {
    terminal: true,
    consoleSize: { height: 25, width: 80 },
    cwd: '/',
    env: ['PATH=/bin', 'HOME=/root'],
    args: ['true'],
    user: { uid: 1, gid: 2, umask: 0o077, additionalGids: [3] },
    capabilities: {
      bounding: ['CAP_KILL'],
      effective: ['CAP_KILL'],
      inheritable: ['CAP_KILL'],
      permitted: ['CAP_KILL'],
      ambient: ['CAP_KILL'],
    },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }],
    noNewPrivileges: true,
    apparmorProfile: 'profile',
    selinuxLabel: 'system_u:system_r:container_t:s0',
    oomScoreAdj: 10,
    scheduler: {
      policy: 'SCHED_DEADLINE',
      nice: 0,
      priority: 0,
      flags: ['SCHED_FLAG_RESET_ON_FORK'],
      runtime: 1_000_000,
      deadline: 2_000_000,
      period: 3_000_000,
    },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
    execCPUAffinity: { initial: '0', final: '0-1' },
  };
}

function everyLinuxProperty(): NonNullable<Spec['linux']> {
  return {
    namespaces: [
      { type: 'mount' },
      { type: 'pid' },
      { type: 'network' },
      { type: 'uts' },
      { type: 'user' },
      { type: 'time' },
      { type: 'ipc', path: '/proc/1/ns/ipc' },
    ],
    uidMappings: mapping,
    gidMappings: mapping,
    timeOffsets: { boottime: { secs: 1, nanosecs: 2 }, monotonic: { secs: 3, nanosecs: 4 } },
    devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }],
    netDevices: { eth0: { name: 'eth1' } },
    cgroupsPath: '/tsrun/x',
    resources: everyResource(),
    sysctl: { 'net.ipv4.ip_forward': '1' },
    seccomp: everySeccompProperty(),
    rootfsPropagation: 'slave',
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys'],
    mountLabel: 'system_u:object_r:container_file_t:s0',
    intelRdt: {
      closID: 'guaranteed',
      schemata: ['L3:0=f'],
      l3CacheSchema: 'L3:0=ff',
      memBwSchema: 'MB:0=50',
      enableMonitoring: true,
    },
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] },
    personality: { domain: 'LINUX32', flags: [] },
  };
}

function everyResource(): NonNullable<NonNullable<Spec['linux']>['resources']> {
  return {
    devices: [{ allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' }],
    memory: {
      limit: 100_000_000,
      reservation: 50_000_000,
      swap: 200_000_000,
      kernel: 1,
      kernelTCP: 1,
      swappiness: 1,
      disableOOMKiller: true,
      useHierarchy: true,
      checkBeforeUpdate: true,
    },
    cpu: {
      shares: 1024,
      quota: 100_000,
      burst: 1000,
      period: 100_000,
      realtimeRuntime: 1,
      realtimePeriod: 1,
      cpus: '0',
      mems: '0',
      idle: 0,
    },
    pids: { limit: 10 },
    blockIO: {
      weight: 100,
      leafWeight: 100,
      weightDevice: [{ major: 8, minor: 0, weight: 100, leafWeight: 100 }],
      throttleReadBpsDevice: throttle,
      throttleWriteBpsDevice: throttle,
      throttleReadIOPSDevice: throttle,
      throttleWriteIOPSDevice: throttle,
    },
    hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }],
    network: { classID: 1, priorities: [{ name: 'eth0', priority: 1 }] },
    rdma: { mlx5_0: { hcaHandles: 1, hcaObjects: 2 } },
    unified: { 'memory.high': '1000000' },
  };
}

function everySeccompProperty(): NonNullable<NonNullable<Spec['linux']>['seccomp']> {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64'],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
    listenerPath: '/run/agent.sock',
    listenerMetadata: 'metadata',
    syscalls: [
      {
        names: ['clone'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 1,
        args: [{ index: 0, value: 1, valueTwo: 1, op: 'SCMP_CMP_MASKED_EQ' }],
      },
      { names: ['mount'], action: 'SCMP_ACT_NOTIFY' },
    ],
  };
}

/** The config without what the patterns match; * is any index or name. */
export function without(spec: Spec, patterns: readonly string[]): Spec {
  for (const pattern of patterns) remove(spec, pattern.split('/').slice(1));
  return spec;
}

function remove(value: unknown, names: readonly string[]): void {
  const [name = '', ...rest] = names;
  if (typeof value !== 'object' || value === null) return;
  const parent = value as Record<string, unknown>;
  if (rest.length === 0) delete parent[name];
  else for (const key of name === '*' ? Object.keys(parent) : [name]) remove(parent[key], rest);
}
