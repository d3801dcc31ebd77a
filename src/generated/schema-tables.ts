// Written by scripts/generate-schemas.mjs from schemas/*.schema.json: edit those and run it.

/** The part of JSON Schema that schemas/ uses, $refs replaced by what they refer to. */
export type Schema = ObjectSchema | MapSchema | ArraySchema | IntegerSchema | StringSchema | BooleanSchema | EnumSchema;

export interface ObjectSchema {
  kind: 'object';
  properties: Readonly<Record<string, Schema>>;
  required: readonly string[];
}
/** An object of any names; without `values` its contents are not looked at. */
export interface MapSchema {
  kind: 'map';
  values: Schema | undefined;
}
export interface ArraySchema {
  kind: 'array';
  items: Schema;
  minItems: number;
}
export interface IntegerSchema {
  kind: 'integer';
  minimum: number;
  maximum: number;
}
export interface StringSchema {
  kind: 'string';
  pattern: RegExp | undefined;
}
export interface BooleanSchema {
  kind: 'boolean';
}
export interface EnumSchema {
  kind: 'enum';
  values: readonly string[];
}

const string: Schema = { kind: 'string', pattern: undefined };
const boolean: Schema = { kind: 'boolean' };

const Root: Schema = { kind: 'object', required: ["path"], properties: {
  path: string,
  readonly: boolean,
} };
const strings: Schema = { kind: 'array', items: string, minItems: 0 };
const uint32: Schema = { kind: 'integer', minimum: 0, maximum: 4294967295 };
const LinuxIDMapping: Schema = { kind: 'object', required: ["containerID","hostID","size"], properties: {
  containerID: uint32,
  hostID: uint32,
  size: uint32,
} };
const Mount: Schema = { kind: 'object', required: ["destination"], properties: {
  destination: string,
  source: string,
  type: string,
  options: strings,
  uidMappings: { kind: 'array', items: LinuxIDMapping, minItems: 0 },
  gidMappings: { kind: 'array', items: LinuxIDMapping, minItems: 0 },
} };
const uint64: Schema = { kind: 'integer', minimum: 0, maximum: 18446744073709552000 };
const Box: Schema = { kind: 'object', required: ["height","width"], properties: {
  height: uint64,
  width: uint64,
} };
const uint32s: Schema = { kind: 'array', items: uint32, minItems: 0 };
const User: Schema = { kind: 'object', required: [], properties: {
  uid: uint32,
  gid: uint32,
  umask: uint32,
  additionalGids: uint32s,
  username: string,
} };
const LinuxCapabilities: Schema = { kind: 'object', required: [], properties: {
  bounding: strings,
  effective: strings,
  inheritable: strings,
  permitted: strings,
  ambient: strings,
} };
const RlimitType: Schema = { kind: 'enum', values: ["RLIMIT_AS","RLIMIT_CORE","RLIMIT_CPU","RLIMIT_DATA","RLIMIT_FSIZE","RLIMIT_LOCKS","RLIMIT_MEMLOCK","RLIMIT_MSGQUEUE","RLIMIT_NICE","RLIMIT_NOFILE","RLIMIT_NPROC","RLIMIT_RSS","RLIMIT_RTPRIO","RLIMIT_RTTIME","RLIMIT_SIGPENDING","RLIMIT_STACK"] };
const POSIXRlimit: Schema = { kind: 'object', required: ["type","soft","hard"], properties: {
  type: RlimitType,
  soft: uint64,
  hard: uint64,
} };
const SchedulerPolicy: Schema = { kind: 'enum', values: ["SCHED_OTHER","SCHED_FIFO","SCHED_RR","SCHED_BATCH","SCHED_ISO","SCHED_IDLE","SCHED_DEADLINE"] };
const int32: Schema = { kind: 'integer', minimum: -2147483648, maximum: 2147483647 };
const SchedulerFlag: Schema = { kind: 'enum', values: ["SCHED_FLAG_RESET_ON_FORK","SCHED_FLAG_RECLAIM","SCHED_FLAG_DL_OVERRUN","SCHED_FLAG_KEEP_POLICY","SCHED_FLAG_KEEP_PARAMS","SCHED_FLAG_UTIL_CLAMP_MIN","SCHED_FLAG_UTIL_CLAMP_MAX"] };
const Scheduler: Schema = { kind: 'object', required: ["policy"], properties: {
  policy: SchedulerPolicy,
  nice: int32,
  priority: int32,
  flags: { kind: 'array', items: SchedulerFlag, minItems: 0 },
  runtime: uint64,
  deadline: uint64,
  period: uint64,
} };
const IOPriorityClass: Schema = { kind: 'enum', values: ["IOPRIO_CLASS_RT","IOPRIO_CLASS_BE","IOPRIO_CLASS_IDLE"] };
const LinuxIOPriority: Schema = { kind: 'object', required: ["class"], properties: {
  class: IOPriorityClass,
  priority: int32,
} };
const CPUAffinity: Schema = { kind: 'object', required: [], properties: {
  initial: { kind: 'string', pattern: /^[0-9, -]*$/u },
  final: { kind: 'string', pattern: /^[0-9, -]*$/u },
} };
const Process: Schema = { kind: 'object', required: ["cwd","args"], properties: {
  terminal: boolean,
  consoleSize: Box,
  cwd: string,
  env: strings,
  args: { kind: 'array', items: string, minItems: 1 },
  commandLine: string,
  user: User,
  capabilities: LinuxCapabilities,
  rlimits: { kind: 'array', items: POSIXRlimit, minItems: 0 },
  noNewPrivileges: boolean,
  apparmorProfile: string,
  selinuxLabel: string,
  oomScoreAdj: { kind: 'integer', minimum: -Infinity, maximum: Infinity },
  scheduler: Scheduler,
  ioPriority: LinuxIOPriority,
  execCPUAffinity: CPUAffinity,
} };
const Hook: Schema = { kind: 'object', required: ["path"], properties: {
  path: string,
  args: strings,
  env: strings,
  timeout: { kind: 'integer', minimum: 1, maximum: Infinity },
} };
const Hooks: Schema = { kind: 'object', required: [], properties: {
  prestart: { kind: 'array', items: Hook, minItems: 0 },
  createRuntime: { kind: 'array', items: Hook, minItems: 0 },
  createContainer: { kind: 'array', items: Hook, minItems: 0 },
  startContainer: { kind: 'array', items: Hook, minItems: 0 },
  poststart: { kind: 'array', items: Hook, minItems: 0 },
  poststop: { kind: 'array', items: Hook, minItems: 0 },
} };
const StringMap: Schema = { kind: 'map', values: string };
const NamespaceType: Schema = { kind: 'enum', values: ["mount","pid","network","uts","ipc","user","cgroup","time"] };
const LinuxNamespace: Schema = { kind: 'object', required: ["type"], properties: {
  type: NamespaceType,
  path: string,
} };
const int64: Schema = { kind: 'integer', minimum: -9223372036854776000, maximum: 9223372036854776000 };
const LinuxTimeOffset: Schema = { kind: 'object', required: [], properties: {
  secs: int64,
  nanosecs: uint32,
} };
const LinuxTimeOffsets: Schema = { kind: 'object', required: [], properties: {
  boottime: LinuxTimeOffset,
  monotonic: LinuxTimeOffset,
} };
const LinuxDevice: Schema = { kind: 'object', required: ["type","path"], properties: {
  type: { kind: 'enum', values: ["c","b","u","p"] },
  path: string,
  major: int64,
  minor: int64,
  fileMode: uint32,
  uid: uint32,
  gid: uint32,
} };
const LinuxNetDevice: Schema = { kind: 'object', required: [], properties: {
  name: string,
} };
const LinuxDeviceCgroup: Schema = { kind: 'object', required: ["allow"], properties: {
  allow: boolean,
  type: { kind: 'enum', values: ["a","b","c",""] },
  major: int64,
  minor: int64,
  access: { kind: 'string', pattern: /^[rwm]*$/u },
} };
const LinuxMemory: Schema = { kind: 'object', required: [], properties: {
  limit: int64,
  reservation: int64,
  swap: int64,
  kernel: int64,
  kernelTCP: int64,
  swappiness: { kind: 'integer', minimum: 0, maximum: 100 },
  disableOOMKiller: boolean,
  useHierarchy: boolean,
  checkBeforeUpdate: boolean,
} };
const LinuxCPU: Schema = { kind: 'object', required: [], properties: {
  shares: uint64,
  quota: int64,
  burst: uint64,
  period: uint64,
  realtimeRuntime: int64,
  realtimePeriod: uint64,
  cpus: string,
  mems: string,
  idle: int64,
} };
const LinuxPids: Schema = { kind: 'object', required: ["limit"], properties: {
  limit: int64,
} };
const uint16: Schema = { kind: 'integer', minimum: 0, maximum: 65535 };
const LinuxWeightDevice: Schema = { kind: 'object', required: ["major","minor"], properties: {
  major: int64,
  minor: int64,
  weight: uint16,
  leafWeight: uint16,
} };
const LinuxThrottleDevice: Schema = { kind: 'object', required: ["major","minor","rate"], properties: {
  major: int64,
  minor: int64,
  rate: uint64,
} };
const LinuxBlockIO: Schema = { kind: 'object', required: [], properties: {
  weight: uint16,
  leafWeight: uint16,
  weightDevice: { kind: 'array', items: LinuxWeightDevice, minItems: 0 },
  throttleReadBpsDevice: { kind: 'array', items: LinuxThrottleDevice, minItems: 0 },
  throttleWriteBpsDevice: { kind: 'array', items: LinuxThrottleDevice, minItems: 0 },
  throttleReadIOPSDevice: { kind: 'array', items: LinuxThrottleDevice, minItems: 0 },
  throttleWriteIOPSDevice: { kind: 'array', items: LinuxThrottleDevice, minItems: 0 },
} };
const LinuxHugepageLimit: Schema = { kind: 'object', required: ["pageSize","limit"], properties: {
  pageSize: { kind: 'string', pattern: /^[1-9][0-9]*[KMG]B$/u },
  limit: uint64,
} };
const LinuxInterfacePriority: Schema = { kind: 'object', required: ["name","priority"], properties: {
  name: string,
  priority: uint32,
} };
const LinuxNetwork: Schema = { kind: 'object', required: [], properties: {
  classID: uint32,
  priorities: { kind: 'array', items: LinuxInterfacePriority, minItems: 0 },
} };
const LinuxRdma: Schema = { kind: 'object', required: [], properties: {
  hcaHandles: uint32,
  hcaObjects: uint32,
} };
const LinuxResources: Schema = { kind: 'object', required: [], properties: {
  devices: { kind: 'array', items: LinuxDeviceCgroup, minItems: 0 },
  memory: LinuxMemory,
  cpu: LinuxCPU,
  pids: LinuxPids,
  blockIO: LinuxBlockIO,
  hugepageLimits: { kind: 'array', items: LinuxHugepageLimit, minItems: 0 },
  network: LinuxNetwork,
  rdma: { kind: 'map', values: LinuxRdma },
  unified: StringMap,
} };
const SeccompAction: Schema = { kind: 'enum', values: ["SCMP_ACT_KILL","SCMP_ACT_KILL_PROCESS","SCMP_ACT_KILL_THREAD","SCMP_ACT_TRAP","SCMP_ACT_ERRNO","SCMP_ACT_TRACE","SCMP_ACT_ALLOW","SCMP_ACT_LOG","SCMP_ACT_NOTIFY"] };
const SeccompArch: Schema = { kind: 'enum', values: ["SCMP_ARCH_X86","SCMP_ARCH_X86_64","SCMP_ARCH_X32","SCMP_ARCH_ARM","SCMP_ARCH_AARCH64","SCMP_ARCH_LOONGARCH64","SCMP_ARCH_M68K","SCMP_ARCH_MIPS","SCMP_ARCH_MIPS64","SCMP_ARCH_MIPS64N32","SCMP_ARCH_MIPSEL","SCMP_ARCH_MIPSEL64","SCMP_ARCH_MIPSEL64N32","SCMP_ARCH_PARISC","SCMP_ARCH_PARISC64","SCMP_ARCH_PPC","SCMP_ARCH_PPC64","SCMP_ARCH_PPC64LE","SCMP_ARCH_RISCV64","SCMP_ARCH_S390","SCMP_ARCH_S390X","SCMP_ARCH_SH","SCMP_ARCH_SHEB"] };
const SeccompFlag: Schema = { kind: 'enum', values: ["SECCOMP_FILTER_FLAG_TSYNC","SECCOMP_FILTER_FLAG_LOG","SECCOMP_FILTER_FLAG_SPEC_ALLOW","SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] };
const SeccompOperator: Schema = { kind: 'enum', values: ["SCMP_CMP_NE","SCMP_CMP_LT","SCMP_CMP_LE","SCMP_CMP_EQ","SCMP_CMP_GE","SCMP_CMP_GT","SCMP_CMP_MASKED_EQ"] };
const LinuxSeccompArg: Schema = { kind: 'object', required: ["index","value","op"], properties: {
  index: uint32,
  value: uint64,
  valueTwo: uint64,
  op: SeccompOperator,
} };
const LinuxSyscall: Schema = { kind: 'object', required: ["names","action"], properties: {
  names: { kind: 'array', items: string, minItems: 1 },
  action: SeccompAction,
  errnoRet: uint32,
  args: { kind: 'array', items: LinuxSeccompArg, minItems: 0 },
} };
const LinuxSeccomp: Schema = { kind: 'object', required: ["defaultAction"], properties: {
  defaultAction: SeccompAction,
  defaultErrnoRet: uint32,
  architectures: { kind: 'array', items: SeccompArch, minItems: 0 },
  flags: { kind: 'array', items: SeccompFlag, minItems: 0 },
  listenerPath: string,
  listenerMetadata: string,
  syscalls: { kind: 'array', items: LinuxSyscall, minItems: 0 },
} };
const RootfsPropagation: Schema = { kind: 'enum', values: ["private","shared","slave","unbindable","rprivate","rshared","rslave","runbindable",""] };
const LinuxIntelRdt: Schema = { kind: 'object', required: [], properties: {
  closID: string,
  schemata: strings,
  l3CacheSchema: string,
  memBwSchema: { kind: 'string', pattern: /^(MB:[^\n]*)?$/u },
  enableMonitoring: boolean,
} };
const MemoryPolicyMode: Schema = { kind: 'enum', values: ["MPOL_DEFAULT","MPOL_BIND","MPOL_INTERLEAVE","MPOL_WEIGHTED_INTERLEAVE","MPOL_PREFERRED","MPOL_PREFERRED_MANY","MPOL_LOCAL"] };
const MemoryPolicyFlag: Schema = { kind: 'enum', values: ["MPOL_F_NUMA_BALANCING","MPOL_F_RELATIVE_NODES","MPOL_F_STATIC_NODES"] };
const LinuxMemoryPolicy: Schema = { kind: 'object', required: [], properties: {
  mode: MemoryPolicyMode,
  nodes: string,
  flags: { kind: 'array', items: MemoryPolicyFlag, minItems: 0 },
} };
const LinuxPersonality: Schema = { kind: 'object', required: ["domain"], properties: {
  domain: { kind: 'enum', values: ["LINUX","LINUX32"] },
  flags: strings,
} };
const Linux: Schema = { kind: 'object', required: [], properties: {
  namespaces: { kind: 'array', items: LinuxNamespace, minItems: 0 },
  uidMappings: { kind: 'array', items: LinuxIDMapping, minItems: 0 },
  gidMappings: { kind: 'array', items: LinuxIDMapping, minItems: 0 },
  timeOffsets: LinuxTimeOffsets,
  devices: { kind: 'array', items: LinuxDevice, minItems: 0 },
  netDevices: { kind: 'map', values: LinuxNetDevice },
  cgroupsPath: string,
  resources: LinuxResources,
  sysctl: StringMap,
  seccomp: LinuxSeccomp,
  rootfsPropagation: RootfsPropagation,
  maskedPaths: strings,
  readonlyPaths: strings,
  mountLabel: string,
  intelRdt: LinuxIntelRdt,
  memoryPolicy: LinuxMemoryPolicy,
  personality: LinuxPersonality,
} };
export const Spec: Schema = { kind: 'object', required: ["ociVersion","root"], properties: {
  ociVersion: string,
  root: Root,
  mounts: { kind: 'array', items: Mount, minItems: 0 },
  process: Process,
  hostname: string,
  domainname: string,
  hooks: Hooks,
  annotations: StringMap,
  linux: Linux,
  solaris: { kind: 'map', values: undefined },
  windows: { kind: 'map', values: undefined },
  vm: { kind: 'map', values: undefined },
  zos: { kind: 'map', values: undefined },
  freebsd: { kind: 'map', values: undefined },
} };
const Status: Schema = { kind: 'enum', values: ["creating","created","running","stopped","paused"] };
export const State: Schema = { kind: 'object', required: ["ociVersion","id","status","bundle"], properties: {
  ociVersion: string,
  id: string,
  status: Status,
  pid: { kind: 'integer', minimum: 0, maximum: Infinity },
  bundle: string,
  annotations: StringMap,
} };
const CgroupFeatures: Schema = { kind: 'object', required: [], properties: {
  v1: boolean,
  v2: boolean,
  systemd: boolean,
  systemdUser: boolean,
  rdma: boolean,
} };
const SeccompFeatures: Schema = { kind: 'object', required: [], properties: {
  enabled: boolean,
  actions: { kind: 'array', items: SeccompAction, minItems: 0 },
  operators: { kind: 'array', items: SeccompOperator, minItems: 0 },
  archs: { kind: 'array', items: SeccompArch, minItems: 0 },
  knownFlags: { kind: 'array', items: SeccompFlag, minItems: 0 },
  supportedFlags: { kind: 'array', items: SeccompFlag, minItems: 0 },
} };
const FeatureSwitch: Schema = { kind: 'object', required: [], properties: {
  enabled: boolean,
} };
const IntelRdtFeatures: Schema = { kind: 'object', required: [], properties: {
  enabled: boolean,
  schemata: boolean,
  monitoring: boolean,
} };
const MemoryPolicyFeatures: Schema = { kind: 'object', required: [], properties: {
  modes: { kind: 'array', items: MemoryPolicyMode, minItems: 0 },
  flags: { kind: 'array', items: MemoryPolicyFlag, minItems: 0 },
} };
const MountExtensions: Schema = { kind: 'object', required: [], properties: {
  idmap: FeatureSwitch,
} };
const LinuxFeatures: Schema = { kind: 'object', required: [], properties: {
  namespaces: { kind: 'array', items: NamespaceType, minItems: 0 },
  capabilities: { kind: 'array', items: { kind: 'string', pattern: /^CAP_[A-Z_]+$/u }, minItems: 0 },
  cgroup: CgroupFeatures,
  seccomp: SeccompFeatures,
  apparmor: FeatureSwitch,
  selinux: FeatureSwitch,
  intelRdt: IntelRdtFeatures,
  memoryPolicy: MemoryPolicyFeatures,
  mountExtensions: MountExtensions,
  netDevices: FeatureSwitch,
} };
export const Features: Schema = { kind: 'object', required: ["ociVersionMin","ociVersionMax"], properties: {
  ociVersionMin: string,
  ociVersionMax: string,
  hooks: strings,
  mountOptions: strings,
  linux: LinuxFeatures,
  annotations: StringMap,
  potentiallyUnsafeConfigAnnotations: strings,
} };
