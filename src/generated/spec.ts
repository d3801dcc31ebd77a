// Written by scripts/generate-schemas.mjs from schemas/*.schema.json: edit those and run it.

/** A container's config.json (config.md of the runtime-spec, 1.3). */
export interface Spec {
  /** SemVer of the specification the bundle complies with. */
  ociVersion: string;
  root: Root;
  /** Mounted in this order. */
  mounts?: Mount[];
  process?: Process;
  /** Host name in the container's UTS namespace. */
  hostname?: string;
  /** NIS domain name in the container's UTS namespace. */
  domainname?: string;
  hooks?: Hooks;
  /** Strings that say something of the container to other programs. */
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
  /** Whether the root filesystem is mounted read-only. */
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
  /** As mount(8) has them; what tsrun does not know itself goes to the filesystem. */
  options?: string[];
  /** User IDs of an ID-mapped mount. */
  uidMappings?: LinuxIDMapping[];
  /** Group IDs of an ID-mapped mount. */
  gidMappings?: LinuxIDMapping[];
}

/** The container's process, needed at start. */
export interface Process {
  /** Whether the process gets a terminal of its own, as stdin, stdout and stderr. */
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
  /** Limits of setrlimit(2), one of each type. */
  rlimits?: POSIXRlimit[];
  /** Whether execve(2) can no longer give privileges, as set-user-ID programs do (PR_SET_NO_NEW_PRIVS). */
  noNewPrivileges?: boolean;
  /** Name of a loaded AppArmor profile that the program runs under. */
  apparmorProfile?: string;
  /** SELinux label that the program runs with. */
  selinuxLabel?: string;
  /** -1000 to 1000; unset leaves the caller's. */
  oomScoreAdj?: number;
  scheduler?: Scheduler;
  ioPriority?: LinuxIOPriority;
  execCPUAffinity?: CPUAffinity;
}

/** Size of the terminal in characters. */
export interface Box {
  /** Lines. */
  height: number;
  /** Columns. */
  width: number;
}

/** IDs as the container sees them; uid and gid are 0 when unset. */
export interface User {
  /** User ID of the process. */
  uid?: number;
  /** Group ID of the process. */
  gid?: number;
  /** Unset leaves the caller's. */
  umask?: number;
  /** Supplementary groups of the process. */
  additionalGids?: number[];
  /** Windows only: not read. */
  username?: string;
}

/** The five sets of capabilities(7). */
export interface LinuxCapabilities {
  /** What the process can ever get, by file capabilities too. */
  bounding?: string[];
  /** What the kernel lets the process do. */
  effective?: string[];
  /** What a program may keep that its file names inheritable. */
  inheritable?: string[];
  /** What the process may make effective. */
  permitted?: string[];
  /** What a program of an ordinary user keeps through execve(2); must be permitted and inheritable. */
  ambient?: string[];
}

/** Resources of setrlimit(2). */
export type RlimitType = 'RLIMIT_AS' | 'RLIMIT_CORE' | 'RLIMIT_CPU' | 'RLIMIT_DATA' | 'RLIMIT_FSIZE' | 'RLIMIT_LOCKS' | 'RLIMIT_MEMLOCK' | 'RLIMIT_MSGQUEUE' | 'RLIMIT_NICE' | 'RLIMIT_NOFILE' | 'RLIMIT_NPROC' | 'RLIMIT_RSS' | 'RLIMIT_RTPRIO' | 'RLIMIT_RTTIME' | 'RLIMIT_SIGPENDING' | 'RLIMIT_STACK';

/** One setrlimit(2); 18446744073709551615 (read as 2^64) is no limit. */
export interface POSIXRlimit {
  type: RlimitType;
  /** The limit in force. */
  soft: number;
  /** What the process may raise the soft limit to. */
  hard: number;
}

/** Policies of sched_setattr(2). */
export type SchedulerPolicy = 'SCHED_OTHER' | 'SCHED_FIFO' | 'SCHED_RR' | 'SCHED_BATCH' | 'SCHED_ISO' | 'SCHED_IDLE' | 'SCHED_DEADLINE';

/** Flags of sched_setattr(2). */
export type SchedulerFlag = 'SCHED_FLAG_RESET_ON_FORK' | 'SCHED_FLAG_RECLAIM' | 'SCHED_FLAG_DL_OVERRUN' | 'SCHED_FLAG_KEEP_POLICY' | 'SCHED_FLAG_KEEP_PARAMS' | 'SCHED_FLAG_UTIL_CLAMP_MIN' | 'SCHED_FLAG_UTIL_CLAMP_MAX';

/** sched_setattr(2) of the process; runtime, deadline and period are in nanoseconds. */
export interface Scheduler {
  policy: SchedulerPolicy;
  /** From -20, which gets most time, to 19; for SCHED_OTHER and SCHED_BATCH. */
  nice?: number;
  /** From 1 to 99, which comes first; for SCHED_FIFO and SCHED_RR. */
  priority?: number;
  /** Flags of sched_setattr(2). */
  flags?: SchedulerFlag[];
  /** Of SCHED_DEADLINE: nanoseconds that it runs in each period. */
  runtime?: number;
  /** Of SCHED_DEADLINE: nanoseconds from the start of a period by which it has run. */
  deadline?: number;
  /** Of SCHED_DEADLINE: nanoseconds from one activation to the next. */
  period?: number;
}

/** Classes of ioprio_set(2). */
export type IOPriorityClass = 'IOPRIO_CLASS_RT' | 'IOPRIO_CLASS_BE' | 'IOPRIO_CLASS_IDLE';

/** ioprio_set(2) of the process; priority 0 is the highest, 7 the lowest. */
export interface LinuxIOPriority {
  class: IOPriorityClass;
  /** Within the class: 0 is the highest, 7 the lowest. */
  priority?: number;
}

/** CPU lists (0-3,7) of an exec'd process: before and after it joins the container's cgroup. */
export interface CPUAffinity {
  /** CPUs of the runtime while it makes the process: a list such as 0-3,7. */
  initial?: string;
  /** CPUs of the process once it is in the cgroup: a list such as 0-3,7. */
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
  /** Run in the runtime's namespaces after the container's have been made, before the root is changed. */
  createRuntime?: Hook[];
  /** Run in the container's namespaces, by a path of the host, before the root is changed. */
  createContainer?: Hook[];
  /** Run in the container, by a path of its own, before the program. */
  startContainer?: Hook[];
  /** Run in the runtime's namespaces after the program has been started. */
  poststart?: Hook[];
  /** Run in the runtime's namespaces after the container has been deleted; one that fails is a warning. */
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
  /** Namespaces that the container gets or joins; of a type that is not listed it has the runtime’s. */
  namespaces?: LinuxNamespace[];
  /** User IDs of the container's user namespace. */
  uidMappings?: LinuxIDMapping[];
  /** Group IDs of the container's user namespace. */
  gidMappings?: LinuxIDMapping[];
  timeOffsets?: LinuxTimeOffsets;
  /** Device nodes that the container gets beside those that each has. */
  devices?: LinuxDevice[];
  /** Host network devices, by name, to move into the container. */
  netDevices?: Record<string, LinuxNetDevice>;
  /** A path, or slice:prefix:name for the systemd driver. */
  cgroupsPath?: string;
  resources?: LinuxResources;
  /** Kernel parameters of the container's namespaces, by name. */
  sysctl?: StringMap;
  seccomp?: LinuxSeccomp;
  rootfsPropagation?: RootfsPropagation;
  /** Paths that the container cannot look into: files read as empty, directories are. */
  maskedPaths?: string[];
  /** Paths that the container cannot write to. */
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
  /** First ID of the range in the container. */
  containerID: number;
  /** The ID on the host that it is. */
  hostID: number;
  /** How many IDs follow each other. */
  size: number;
}

/** Offsets of the clocks of a new time namespace. */
export interface LinuxTimeOffsets {
  /** Of CLOCK_BOOTTIME. */
  boottime?: LinuxTimeOffset;
  /** Of CLOCK_MONOTONIC. */
  monotonic?: LinuxTimeOffset;
}

export interface LinuxTimeOffset {
  /** Seconds that the clock is ahead; negative: behind. */
  secs?: number;
  /** Nanoseconds more. */
  nanosecs?: number;
}

/** A device node to provide: c or u character, b block, p fifo. */
export interface LinuxDevice {
  /** c or u is a character device, b a block device, p a fifo. */
  type: 'c' | 'b' | 'u' | 'p';
  /** Absolute path in the container. */
  path: string;
  /** Needed unless type is p. */
  major?: number;
  /** Needed unless type is p. */
  minor?: number;
  /** Permissions as a decimal number: 438 is 0666. */
  fileMode?: number;
  /** Owner of the node, as the container sees it. */
  uid?: number;
  /** Group of the node, as the container sees it. */
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
  /** The errno that SCMP_ACT_ERRNO returns by default; unset is EPERM. */
  defaultErrnoRet?: number;
  /** Architectures that the filter covers beside the machine’s own. */
  architectures?: SeccompArch[];
  /** Flags of seccomp(2). */
  flags?: SeccompFlag[];
  /** Socket of the agent for SCMP_ACT_NOTIFY. */
  listenerPath?: string;
  /** Passed on to the agent as it is. */
  listenerMetadata?: string;
  /** What is done with calls that the default is not for. */
  syscalls?: LinuxSyscall[];
}

/** An action for the named system calls when all of args match. */
export interface LinuxSyscall {
  /** Names of system calls; one that libseccomp does not know does nothing. */
  names: string[];
  action: SeccompAction;
  /** The errno that SCMP_ACT_ERRNO returns; unset is EPERM. */
  errnoRet?: number;
  /** Comparisons of arguments, of which all must hold. */
  args?: LinuxSeccompArg[];
}

export interface LinuxSeccompArg {
  /** Which argument, 0 to 5. */
  index: number;
  /** What the argument is compared with; of SCMP_CMP_MASKED_EQ the mask. */
  value: number;
  /** Of SCMP_CMP_MASKED_EQ: what the masked argument must be. */
  valueTwo?: number;
  op: SeccompOperator;
}

/** Intel Resource Director Technology, by way of resctrl. */
export interface LinuxIntelRdt {
  /** Class of service; the container's ID when unset. */
  closID?: string;
  /** Lines for the schemata file of the group. */
  schemata?: string[];
  /** The line of schemata for the L3 cache. */
  l3CacheSchema?: string;
  /** The line of schemata for memory bandwidth. */
  memBwSchema?: string;
  /** Whether the container gets a monitoring group of its own. */
  enableMonitoring?: boolean;
}

/** NUMA memory policy of the process, set_mempolicy(2). */
export interface LinuxMemoryPolicy {
  mode?: MemoryPolicyMode;
  /** A list such as 0-3,7. */
  nodes?: string;
  /** Flags of set_mempolicy(2). */
  flags?: MemoryPolicyFlag[];
}

/** Execution domain of the process, personality(2). */
export interface LinuxPersonality {
  /** LINUX, or LINUX32 for programs that are to see a 32-bit machine. */
  domain: 'LINUX' | 'LINUX32';
  /** The specification defines none yet. */
  flags?: string[];
}

/** Limits of the container's cgroup (config-linux.md, Control groups). */
export interface LinuxResources {
  /** Rules for devices; of those that match, the last decides. */
  devices?: LinuxDeviceCgroup[];
  memory?: LinuxMemory;
  cpu?: LinuxCPU;
  /** How many processes there may be. */
  pids?: LinuxPids;
  /** Shares and limits of block devices. */
  blockIO?: LinuxBlockIO;
  /** Limits of huge pages, one for each size. */
  hugepageLimits?: LinuxHugepageLimit[];
  network?: LinuxNetwork;
  /** Limits by device name. */
  rdma?: Record<string, LinuxRdma>;
  /** cgroup v2 files by name and what is written to them. */
  unified?: StringMap;
}

/** A rule of the device allow list; unset type is a, unset numbers mean all. */
export interface LinuxDeviceCgroup {
  /** Whether what matches is allowed. */
  allow: boolean;
  /** Empty is absent. */
  type?: 'a' | 'b' | 'c' | '';
  /** Major number of the device; unset is every one. */
  major?: number;
  /** Minor number of the device; unset is every one. */
  minor?: number;
  /** Any of r, w and m. */
  access?: string;
}

/** In bytes; -1 is unlimited. */
export interface LinuxMemory {
  /** Bytes that the container can use; what needs more is reclaimed or killed. -1 is no limit. */
  limit?: number;
  /** Bytes that are reclaimed only when nothing else is left. -1 is no limit. */
  reservation?: number;
  /** Memory and swap together. */
  swap?: number;
  /** Of cgroup v1: bytes of kernel memory. */
  kernel?: number;
  /** Of cgroup v1: bytes of TCP buffers. */
  kernelTCP?: number;
  /** Of cgroup v1: how willingly memory is swapped. */
  swappiness?: number;
  /** Of cgroup v1: processes wait for memory and are not killed. */
  disableOOMKiller?: boolean;
  /** Of cgroup v1: whether limits hold for cgroups below. On cgroup v2 they always do. */
  useHierarchy?: boolean;
  /** Whether a limit below what is in use is refused. */
  checkBeforeUpdate?: boolean;
}

/** Times are in microseconds. */
export interface LinuxCPU {
  /** Weight against other cgroups, from 2 to 262144, where 1024 is usual. */
  shares?: number;
  /** Microseconds of CPU time in each period. -1 is no limit. */
  quota?: number;
  /** Microseconds that may be saved up from periods with less use. */
  burst?: number;
  /** Microseconds of a period. */
  period?: number;
  /** Of cgroup v1: microseconds of realtime scheduling in each period. */
  realtimeRuntime?: number;
  /** Of cgroup v1: microseconds of a realtime period. */
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
  /** Weight against other cgroups, from 10 to 1000. */
  weight?: number;
  /** Of cgroup v1: weight against cgroups below. */
  leafWeight?: number;
  /** Weights of single devices. */
  weightDevice?: LinuxWeightDevice[];
  /** Bytes that are read a second at most, by device. */
  throttleReadBpsDevice?: LinuxThrottleDevice[];
  /** Bytes that are written a second at most, by device. */
  throttleWriteBpsDevice?: LinuxThrottleDevice[];
  /** Reads a second at most, by device. */
  throttleReadIOPSDevice?: LinuxThrottleDevice[];
  /** Writes a second at most, by device. */
  throttleWriteIOPSDevice?: LinuxThrottleDevice[];
}

export interface LinuxWeightDevice {
  /** Major number of the device. */
  major: number;
  /** Minor number of the device. */
  minor: number;
  /** Weight, from 10 to 1000. */
  weight?: number;
  /** Of cgroup v1: weight against cgroups below. */
  leafWeight?: number;
}

/** Bytes, or operations, a second. */
export interface LinuxThrottleDevice {
  /** Major number of the device. */
  major: number;
  /** Minor number of the device. */
  minor: number;
  /** Bytes or operations a second. */
  rate: number;
}

/** In bytes. */
export interface LinuxHugepageLimit {
  /** Such as 64KB, 2MB, 1GB. */
  pageSize: string;
  /** Bytes of pages of that size. */
  limit: number;
}

/** cgroup v1's net_cls and net_prio. */
export interface LinuxNetwork {
  /** Of cgroup v1: class of network packets. */
  classID?: number;
  /** Of cgroup v1: priorities of network packets. */
  priorities?: LinuxInterfacePriority[];
}

export interface LinuxInterfacePriority {
  /** Name of the network device. */
  name: string;
  /** Priority of its packets. */
  priority: number;
}

export interface LinuxRdma {
  /** Handles that may be open at most. */
  hcaHandles?: number;
  /** Objects that may be there at most. */
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
