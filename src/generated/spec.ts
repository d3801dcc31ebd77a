// Written by scripts/generate-schemas.mjs from schemas/*.schema.json: edit those and run it.

/** A container's config.json (config.md of the runtime-spec, 1.3). */
export interface Spec {
  /** SemVer of the specification the bundle complies with. */
  ociVersion: string;
  root: Root;
  /** Mounted in this order. */
  mounts?: Mount[];
  process?: Process;
  hostname?: string;
  domainname?: string;
  hooks?: Hooks;
  annotations?: StringMap;
  linux?: Linux;
  /** Another platform's section: accepted, not read. */
  solaris?: Record<string, unknown>;
  /** Another platform's section: accepted, not read. */
  windows?: Record<string, unknown>;
  /** Another platform's section: accepted, not read. */
  vm?: Record<string, unknown>;
  /** Another platform's section: accepted, not read. */
  zos?: Record<string, unknown>;
  /** Another platform's section: accepted, not read. */
  freebsd?: Record<string, unknown>;
}

/** The container's root filesystem. */
export interface Root {
  /** Absolute, or relative to the bundle. */
  path: string;
  readonly?: boolean;
}

/** One mount(8); uidMappings and gidMappings make it an ID-mapped one. */
export interface Mount {
  /** Absolute path in the container. */
  destination: string;
  /** Device, file or directory; for a bind absolute or relative to the bundle. */
  source?: string;
  /** Filesystem type; not read for a bind. */
  type?: string;
  options?: string[];
  uidMappings?: LinuxIDMapping[];
  gidMappings?: LinuxIDMapping[];
}

/** The container's process, needed at start. */
export interface Process {
  terminal?: boolean;
  consoleSize?: Box;
  /** Absolute path in the container. */
  cwd: string;
  /** NAME=value entries. */
  env?: string[];
  /** Program and arguments, as execvp(3) takes them. */
  args: string[];
  /** Windows only: not read. */
  commandLine?: string;
  user?: User;
  capabilities?: LinuxCapabilities;
  rlimits?: POSIXRlimit[];
  noNewPrivileges?: boolean;
  apparmorProfile?: string;
  selinuxLabel?: string;
  /** -1000 to 1000; unset leaves the caller's. */
  oomScoreAdj?: number;
  scheduler?: Scheduler;
  ioPriority?: LinuxIOPriority;
  execCPUAffinity?: CPUAffinity;
}

/** Size of the terminal in characters. */
export interface Box {
  height: number;
  width: number;
}

/** IDs as the container sees them; uid and gid are 0 when unset. */
export interface User {
  uid?: number;
  gid?: number;
  /** Unset leaves the caller's. */
  umask?: number;
  additionalGids?: number[];
  /** Windows only: not read. */
  username?: string;
}

/** The five sets of capabilities(7). */
export interface LinuxCapabilities {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
}

/** Resources of setrlimit(2). */
export type RlimitType = 'RLIMIT_AS' | 'RLIMIT_CORE' | 'RLIMIT_CPU' | 'RLIMIT_DATA' | 'RLIMIT_FSIZE' | 'RLIMIT_LOCKS' | 'RLIMIT_MEMLOCK' | 'RLIMIT_MSGQUEUE' | 'RLIMIT_NICE' | 'RLIMIT_NOFILE' | 'RLIMIT_NPROC' | 'RLIMIT_RSS' | 'RLIMIT_RTPRIO' | 'RLIMIT_RTTIME' | 'RLIMIT_SIGPENDING' | 'RLIMIT_STACK';

/** One setrlimit(2); 18446744073709551615 (read as 2^64) is no limit. */
export interface POSIXRlimit {
  type: RlimitType;
  soft: number;
  hard: number;
}

/** Policies of sched_setattr(2). */
export type SchedulerPolicy = 'SCHED_OTHER' | 'SCHED_FIFO' | 'SCHED_RR' | 'SCHED_BATCH' | 'SCHED_ISO' | 'SCHED_IDLE' | 'SCHED_DEADLINE';

/** Flags of sched_setattr(2). */
export type SchedulerFlag = 'SCHED_FLAG_RESET_ON_FORK' | 'SCHED_FLAG_RECLAIM' | 'SCHED_FLAG_DL_OVERRUN' | 'SCHED_FLAG_KEEP_POLICY' | 'SCHED_FLAG_KEEP_PARAMS' | 'SCHED_FLAG_UTIL_CLAMP_MIN' | 'SCHED_FLAG_UTIL_CLAMP_MAX';

/** sched_setattr(2) of the process; runtime, deadline and period are in nanoseconds. */
export interface Scheduler {
  policy: SchedulerPolicy;
  nice?: number;
  priority?: number;
  flags?: SchedulerFlag[];
  runtime?: number;
  deadline?: number;
  period?: number;
}

/** Classes of ioprio_set(2). */
export type IOPriorityClass = 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE';

/** ioprio_set(2) of the process; priority 0 is the highest, 7 the lowest. */
export interface LinuxIOPriority {
  class: IOPriorityClass;
  priority?: number;
}

/** CPU lists (0-3,7) of an exec'd process: before and after it joins the container's cgroup. */
export interface CPUAffinity {
  initial?: string;
  final?: string;
}

/** A program run at a moment of the lifecycle, the state on its stdin. */
export interface Hook {
  /** Absolute path. */
  path: string;
  /** As execv(3) takes them: args[0] is the program's name. */
  args?: string[];
  /** NAME=value entries. */
  env?: string[];
  /** Seconds until the hook is killed. */
  timeout?: number;
}

/** The six lists of hooks, each run in its order. */
export interface Hooks {
  /** Deprecated: run before createRuntime. */
  prestart?: Hook[];
  createRuntime?: Hook[];
  createContainer?: Hook[];
  startContainer?: Hook[];
  poststart?: Hook[];
  poststop?: Hook[];
}

export type StringMap = Record<string, string>;

/** The kinds of Linux namespace (namespaces(7)). */
export type NamespaceType = 'mount' | 'pid' | 'network' | 'uts' | 'ipc' | 'user' | 'cgroup' | 'time';

/** What a seccomp rule does; SCMP_ACT_KILL is SCMP_ACT_KILL_THREAD. */
export type SeccompAction = 'SCMP_ACT_KILL' | 'SCMP_ACT_KILL_PROCESS' | 'SCMP_ACT_KILL_THREAD' | 'SCMP_ACT_TRAP' | 'SCMP_ACT_ERRNO' | 'SCMP_ACT_TRACE' | 'SCMP_ACT_ALLOW' | 'SCMP_ACT_LOG' | 'SCMP_ACT_NOTIFY';

/** Architectures a seccomp filter can cover, by libseccomp's names. */
export type SeccompArch = 'SCMP_ARCH_X86' | 'SCMP_ARCH_X86_64' | 'SCMP_ARCH_X32' | 'SCMP_ARCH_ARM' | 'SCMP_ARCH_AARCH64' | 'SCMP_ARCH_LOONGARCH64' | 'SCMP_ARCH_M68K' | 'SCMP_ARCH_MIPS' | 'SCMP_ARCH_MIPS64' | 'SCMP_ARCH_MIPS64N32' | 'SCMP_ARCH_MIPSEL' | 'SCMP_ARCH_MIPSEL64' | 'SCMP_ARCH_MIPSEL64N32' | 'SCMP_ARCH_PARISC' | 'SCMP_ARCH_PARISC64' | 'SCMP_ARCH_PPC' | 'SCMP_ARCH_PPC64' | 'SCMP_ARCH_PPC64LE' | 'SCMP_ARCH_RISCV64' | 'SCMP_ARCH_S390' | 'SCMP_ARCH_S390X' | 'SCMP_ARCH_SH' | 'SCMP_ARCH_SHEB';

/** Flags of seccomp(2) when a filter is loaded. */
export type SeccompFlag = 'SECCOMP_FILTER_FLAG_TSYNC' | 'SECCOMP_FILTER_FLAG_LOG' | 'SECCOMP_FILTER_FLAG_SPEC_ALLOW' | 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV';

/** Comparison of a syscall argument; MASKED_EQ is (argument & value) == valueTwo. */
export type SeccompOperator = 'SCMP_CMP_NE' | 'SCMP_CMP_LT' | 'SCMP_CMP_LE' | 'SCMP_CMP_EQ' | 'SCMP_CMP_GE' | 'SCMP_CMP_GT' | 'SCMP_CMP_MASKED_EQ';

/** NUMA memory policies of set_mempolicy(2). */
export type MemoryPolicyMode = 'MPOL_DEFAULT' | 'MPOL_BIND' | 'MPOL_INTERLEAVE' | 'MPOL_WEIGHTED_INTERLEAVE' | 'MPOL_PREFERRED' | 'MPOL_PREFERRED_MANY' | 'MPOL_LOCAL';

/** Mode flags of set_mempolicy(2). */
export type MemoryPolicyFlag = 'MPOL_F_NUMA_BALANCING' | 'MPOL_F_RELATIVE_NODES' | 'MPOL_F_STATIC_NODES';

/** What the runtime can do (features.md), as `features` prints it. */
export interface Features {
  ociVersionMin: string;
  ociVersionMax: string;
  hooks?: string[];
  mountOptions?: string[];
  linux?: LinuxFeatures;
  annotations?: StringMap;
  potentiallyUnsafeConfigAnnotations?: string[];
}

/** The Linux part (features-linux.md). */
export interface LinuxFeatures {
  namespaces?: NamespaceType[];
  capabilities?: string[];
  cgroup?: CgroupFeatures;
  seccomp?: SeccompFeatures;
  apparmor?: FeatureSwitch;
  selinux?: FeatureSwitch;
  intelRdt?: IntelRdtFeatures;
  memoryPolicy?: MemoryPolicyFeatures;
  mountExtensions?: MountExtensions;
  netDevices?: FeatureSwitch;
}

export interface FeatureSwitch {
  enabled?: boolean;
}

export interface CgroupFeatures {
  v1?: boolean;
  v2?: boolean;
  systemd?: boolean;
  systemdUser?: boolean;
  rdma?: boolean;
}

export interface SeccompFeatures {
  enabled?: boolean;
  actions?: SeccompAction[];
  operators?: SeccompOperator[];
  archs?: SeccompArch[];
  knownFlags?: SeccompFlag[];
  supportedFlags?: SeccompFlag[];
}

export interface IntelRdtFeatures {
  enabled?: boolean;
  schemata?: boolean;
  monitoring?: boolean;
}

export interface MemoryPolicyFeatures {
  modes?: MemoryPolicyMode[];
  flags?: MemoryPolicyFlag[];
}

export interface MountExtensions {
  idmap?: FeatureSwitch;
}

/** The Linux section (config-linux.md). */
export interface Linux {
  namespaces?: LinuxNamespace[];
  uidMappings?: LinuxIDMapping[];
  gidMappings?: LinuxIDMapping[];
  timeOffsets?: LinuxTimeOffsets;
  devices?: LinuxDevice[];
  /** Host network devices, by name, to move into the container. */
  netDevices?: Record<string, LinuxNetDevice>;
  /** A path, or slice:prefix:name for the systemd driver. */
  cgroupsPath?: string;
  resources?: LinuxResources;
  sysctl?: StringMap;
  seccomp?: LinuxSeccomp;
  rootfsPropagation?: RootfsPropagation;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  /** SELinux context of the container's mounts. */
  mountLabel?: string;
  intelRdt?: LinuxIntelRdt;
  memoryPolicy?: LinuxMemoryPolicy;
  personality?: LinuxPersonality;
}

/** A namespace to make, or with a path to join. */
export interface LinuxNamespace {
  type: NamespaceType;
  /** Absolute path of the namespace to join. */
  path?: string;
}

/** A range of IDs of a user namespace. */
export interface LinuxIDMapping {
  containerID: number;
  hostID: number;
  size: number;
}

/** Offsets of the clocks of a new time namespace. */
export interface LinuxTimeOffsets {
  boottime?: LinuxTimeOffset;
  monotonic?: LinuxTimeOffset;
}

export interface LinuxTimeOffset {
  secs?: number;
  nanosecs?: number;
}

/** A device node to provide: c or u character, b block, p fifo. */
export interface LinuxDevice {
  type: 'c' | 'b' | 'u' | 'p';
  /** Absolute path in the container. */
  path: string;
  /** Needed unless type is p. */
  major?: number;
  /** Needed unless type is p. */
  minor?: number;
  /** Permissions as a decimal number: 438 is 0666. */
  fileMode?: number;
  uid?: number;
  gid?: number;
}

export interface LinuxNetDevice {
  /** Name inside the container; the host's when unset. */
  name?: string;
}

/** Mount propagation of the rootfs. containerd writes the recursive forms, which the text does not list; empty is absent. */
export type RootfsPropagation = 'private' | 'shared' | 'slave' | 'unbindable' | 'rprivate' | 'rshared' | 'rslave' | 'runbindable' | '';

/** The seccomp filter of the process. */
export interface LinuxSeccomp {
  defaultAction: SeccompAction;
  defaultErrnoRet?: number;
  architectures?: SeccompArch[];
  flags?: SeccompFlag[];
  /** Socket of the agent for SCMP_ACT_NOTIFY. */
  listenerPath?: string;
  /** Passed on to the agent as it is. */
  listenerMetadata?: string;
  syscalls?: LinuxSyscall[];
}

/** An action for the named system calls when all of args match. */
export interface LinuxSyscall {
  names: string[];
  action: SeccompAction;
  errnoRet?: number;
  args?: LinuxSeccompArg[];
}

export interface LinuxSeccompArg {
  /** Which argument, 0 to 5. */
  index: number;
  value: number;
  valueTwo?: number;
  op: SeccompOperator;
}

/** Intel Resource Director Technology, by way of resctrl. */
export interface LinuxIntelRdt {
  /** Class of service; the container's ID when unset. */
  closID?: string;
  schemata?: string[];
  l3CacheSchema?: string;
  memBwSchema?: string;
  enableMonitoring?: boolean;
}

/** NUMA memory policy of the process, set_mempolicy(2). */
export interface LinuxMemoryPolicy {
  mode?: MemoryPolicyMode;
  /** A list such as 0-3,7. */
  nodes?: string;
  flags?: MemoryPolicyFlag[];
}

/** Execution domain of the process, personality(2). */
export interface LinuxPersonality {
  domain: 'LINUX' | 'LINUX32';
  /** The specification defines none yet. */
  flags?: string[];
}

/** Limits of the container's cgroup (config-linux.md, Control groups). */
export interface LinuxResources {
  devices?: LinuxDeviceCgroup[];
  memory?: LinuxMemory;
  cpu?: LinuxCPU;
  pids?: LinuxPids;
  blockIO?: LinuxBlockIO;
  hugepageLimits?: LinuxHugepageLimit[];
  network?: LinuxNetwork;
  /** Limits by device name. */
  rdma?: Record<string, LinuxRdma>;
  /** cgroup v2 files by name and what is written to them. */
  unified?: StringMap;
}

/** A rule of the device allow list; unset type is a, unset numbers mean all. */
export interface LinuxDeviceCgroup {
  allow: boolean;
  /** Empty is absent. */
  type?: 'a' | 'b' | 'c' | '';
  major?: number;
  minor?: number;
  /** Any of r, w and m. */
  access?: string;
}

/** In bytes; -1 is unlimited. */
export interface LinuxMemory {
  limit?: number;
  reservation?: number;
  /** Memory and swap together. */
  swap?: number;
  kernel?: number;
  kernelTCP?: number;
  swappiness?: number;
  disableOOMKiller?: boolean;
  useHierarchy?: boolean;
  checkBeforeUpdate?: boolean;
}

/** Times are in microseconds. */
export interface LinuxCPU {
  shares?: number;
  quota?: number;
  burst?: number;
  period?: number;
  realtimeRuntime?: number;
  realtimePeriod?: number;
  /** A list such as 0-3,7. */
  cpus?: string;
  /** A list such as 0-3,7. */
  mems?: string;
  /** 1 is SCHED_IDLE, 0 is not. */
  idle?: number;
}

export interface LinuxPids {
  /** Tasks; -1 is unlimited. */
  limit: number;
}

export interface LinuxBlockIO {
  weight?: number;
  leafWeight?: number;
  weightDevice?: LinuxWeightDevice[];
  throttleReadBpsDevice?: LinuxThrottleDevice[];
  throttleWriteBpsDevice?: LinuxThrottleDevice[];
  throttleReadIOPSDevice?: LinuxThrottleDevice[];
  throttleWriteIOPSDevice?: LinuxThrottleDevice[];
}

export interface LinuxWeightDevice {
  major: number;
  minor: number;
  weight?: number;
  leafWeight?: number;
}

/** Bytes, or operations, a second. */
export interface LinuxThrottleDevice {
  major: number;
  minor: number;
  rate: number;
}

/** In bytes. */
export interface LinuxHugepageLimit {
  /** Such as 64KB, 2MB, 1GB. */
  pageSize: string;
  limit: number;
}

/** cgroup v1's net_cls and net_prio. */
export interface LinuxNetwork {
  classID?: number;
  priorities?: LinuxInterfacePriority[];
}

export interface LinuxInterfacePriority {
  name: string;
  priority: number;
}

export interface LinuxRdma {
  hcaHandles?: number;
  hcaObjects?: number;
}

/** The specification's four, and paused as every runtime has it. */
export type Status = 'creating' | 'created' | 'running' | 'stopped' | 'paused';

/** A container's state (runtime.md), as hooks and `state` get it. */
export interface State {
  ociVersion: string;
  id: string;
  status: Status;
  /** Of the container's process, as the host sees it. */
  pid?: number;
  /** Absolute path of the bundle. */
  bundle: string;
  annotations?: StringMap;
}

/** What a seccomp agent is sent (config-linux.md). */
export interface ContainerProcessState {
  ociVersion: string;
  fds?: string[];
  pid: number;
  metadata?: string;
  state: State;
}
