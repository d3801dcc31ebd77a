import { join } from 'node:path';
import { standalone } from './build-info.ts';
import { TsrunError } from './errors.ts';
import type { Op } from './generated/ops.ts';
import { isThere } from './there.ts';

/** A whole number that may need more than 31 bits. */
export type Wide = number;

/** A message from a socket, and the descriptor that came with it (-1: none). */
export interface ReceivedMessage {
  data: Buffer;
  size: number;
  fd: number;
}

/** How a child ended: exactly one of the two is there. */
export interface ExitStatus {
  code?: number;
  signal?: number;
}

export interface SpawnOptions {
  /** CLONE_NEW* flags of clone(2). */
  flags: Wide;
  /** Descriptor of the cgroup directory to be born in, or -1. */
  cgroupFd: number;
  /** init's end of the socket pair. */
  syncFd: number;
  /** memfd that holds the encoded plan when init gets its first message. */
  planFd: number;
  /** Every descriptor init keeps, syncFd and planFd included. */
  inherit: readonly number[];
  /** How many of the caller's descriptors from 3 on are kept too. */
  preserveFds: number;
  /** What it has at 0, 1, 2 and so on, as many as `preserveFds` says; empty: what the caller has there. */
  descriptors: readonly number[];
}

/** A profile in libseccomp's numbers. */
export interface SeccompProfile {
  defaultAction: Wide;
  architectures: readonly Wide[];
  /** Whether to arrange the filter as a binary tree. */
  optimize: boolean;
  rules: readonly SeccompRule[];
}

export interface SeccompRule {
  action: Wide;
  names: readonly string[];
  /** All of them must hold; at most one an index. */
  conditions: readonly SeccompCondition[];
}

export interface SeccompCondition {
  index: number;
  op: number;
  value: bigint;
  valueTwo: bigint;
}

export interface SeccompFailure {
  step: 'action' | 'architecture' | 'byte-order' | 'rule' | 'export';
  /** Of the architecture or rule. */
  index: number;
  /** Of the system call whose rule was refused. */
  name: string;
  /** errno, positive. */
  error: number;
}

/** Without `failure`, all but `failure` is there. */
export interface SeccompOutcome {
  failure?: SeccompFailure;
  /** struct sock_filter[] */
  program?: Buffer;
  /** Names that libseccomp does not know. */
  unknown?: string[];
  /** For each architecture the highest number among the names, or -1. */
  newest?: number[];
  /** Of libseccomp. */
  version: string;
}

/** init or another program, newly started. */
export interface Spawned {
  pid: number;
  pidfd: number;
}

export interface HookOptions {
  path: string;
  args: readonly string[];
  env: readonly string[];
  state: string;
  /** 0: no limit. */
  timeoutMs: Wide;
}

export interface HookOutcome {
  /** One of hookEnd (src/generated/messages.ts). */
  end: number;
  /** By `end`: exit status, signal or errno. */
  code: number;
  /** The end of it. */
  output: string;
}

export interface ProgramOutcome extends ExitStatus {
  stdout: string;
  stderr: string;
}

export interface ServiceOptions {
  args: readonly string[];
  /** Descriptors that it gets, by the same numbers. */
  inherit: readonly number[];
  /** Its stdin; -1: nothing. */
  input: number;
  /** Its stdout and stderr. */
  output: number;
  /** An absolute path, or ''. */
  root: string;
  /** Whether signals of the terminal's keys are not for it. */
  ownGroup: boolean;
}

/** For sched_setattr(2): constants of linux/sched.h, times in nanoseconds. */
export interface SchedulerAttributes {
  policy: number;
  flags: Wide;
  nice: number;
  priority: number;
  runtime: bigint;
  deadline: bigint;
  period: bigint;
}

export interface NotifyRelay {
  from: number;
  to: number;
  pidfd: number;
  pid: number;
}

export interface SystemdCall {
  /** The user's own systemd instead of the system's. */
  user: boolean;
  member: string;
  signature: string;
  /** By `signature`: arrays and structs as arrays, a variant as [signature, value], 64-bit numbers also as text. */
  args: readonly unknown[];
  timeoutMs: Wide;
  job: boolean;
}

export interface SystemdProperty {
  user: boolean;
  path: string;
  interface: string;
  property: string;
}

export interface ThawGuard {
  pid: number;
  pipe: number;
}

/** What a filesystem says of an option. */
export interface OptionVerdict {
  /** errno, positive; 0 when it takes it. */
  error: number;
  /** The kernel's. */
  words: string;
}

/** What src/standalone/fs.ts needs of stat(2). */
export interface FileStatus {
  mode: number;
  size: number;
  uid: number;
  ino: number;
  dev: number;
  rdev: number;
  nlink: number;
  mtimeMs: number;
}

/** Names of directories, sorted. */
export interface SortedDirectories {
  having: string[];
  others: string[];
}

/**
 * The C++ half. Every function makes one thing happen and throws an Error with `code` ('EPERM'), `errno` and `syscall`
 * when the kernel refuses. Descriptors are plain numbers, always close-on-exec.
 */
export interface Addon {
  /** Begins to start tsrun-init, in a thread: memfd_create(2), clone3(2), execveat(2). awaitInit must follow. */
  startInit(options: SpawnOptions): void;
  /** Waits until init has started, and throws what kept it from that; init waits for its first message. */
  awaitInit(): Spawned;
  /** A SOCK_SEQPACKET pair. */
  socketPair(): [number, number];
  sendMessage(socket: number, bytes: Uint8Array, fd?: number): void;
  /** null at the end of file, undefined when `timeoutMs` has passed. */
  receiveMessage(socket: number, size: number, timeoutMs?: number): ReceivedMessage | null | undefined;
  /** Listens on a SOCK_SEQPACKET socket `name` in `directory`, however long the path. */
  listen(directory: string, name: string): number;
  /** Connects to a socket; SOCK_SEQPACKET, or SOCK_STREAM with `stream`. */
  connect(directory: string, name: string, stream?: boolean): number;
  /** memfd_create(2); so many zero bytes. */
  memfd(name: string, size: number): number;
  /**
   * Writes the init ops of a plan into a memfd, which nobody can change then.
   *
   * @param ops all of the plan's
   * @param slots numbers of the descriptors behind the slots that ops name
   * @param blobs bytes behind the names of blobs that ops name
   * @param traceFd shared memory for two timestamps per op, or -1
   * @throws Error when a string holds a NUL byte
   */
  writePlan(
    memfd: number,
    ops: readonly Op[],
    slots: Readonly<Record<string, number>>,
    blobs: Readonly<Record<string, Uint8Array>>,
    traceFd: number,
  ): void;
  pidfdOpen(pid: number): number;
  /** What no pidfd of another process has until the next boot; null before Linux 6.9, where there is no such thing. */
  pidfdInode(pidfd: number): number | null;
  pidfdSignal(pidfd: number, signal: number): void;
  /** Whether the process has ended; waits up to `timeoutMs` (-1: for ever). */
  pidfdWait(pidfd: number, timeoutMs: number): boolean;
  /**
   * Waits until POLLPRI is up for one of them: the file of a cgroup has changed since it was read. False when `timeoutMs`
   * (-1: never) has passed; without files it only waits.
   */
  pollPriority(fds: readonly number[], timeoutMs: number): boolean;
  /**
   * Starts a process that writes 0 into this cgroup.freeze when this process ends without endThawGuard, however it ends.
   *
   * @param fd open for writing
   */
  startThawGuard(fd: number): ThawGuard;
  /** Ends it. Whether the cgroup is thawed: where this process has not, the guard tries again and again for a second. */
  endThawGuard(guard: ThawGuard, thawed: boolean): boolean;
  /** Whether the process is a child of this one, ended or not. */
  isChild(pidfd: number): boolean;
  /** Waits for a child's end and reaps it. */
  reap(pidfd: number): ExitStatus;
  /**
   * As reap, and meanwhile passes the signals this process gets on to the child and, with a terminal (a pty's master,
   * else -1), relays stdin and stdout, in raw mode where stdin is a terminal.
   */
  waitForeground(pidfd: number, terminal: number): ExitStatus;
  /** From now on the signals this process gets are for waitForeground to pass on, and do not end it before. */
  holdSignals(): void;
  /**
   * From now on SIGHUP, SIGINT and SIGTERM end a wait of receiveMessage (EINTR) or runHook (which kills the hook) instead
   * of this process; the first wait after a signal, and no other. Not those that the caller has had ignored.
   */
  catchInterrupts(): void;
  /** They end no wait any more; with `restore` they end this process again. */
  settleInterrupts(restore: boolean): void;
  /** The first of them that has come; 0 when none has. */
  interruptedBy(): number;
  /** The wait status of a reaped process that need not be a child; null where the kernel keeps none (before 6.15). */
  exitInfo(pidfd: number): number | null;
  runHook(options: HookOptions): HookOutcome;
  /** Runs a program of the host, looked up on the PATH, with nothing on stdin; throws when it cannot be started. */
  runProgram(args: readonly string[]): ProgramOutcome;
  /**
   * Starts a program of the host, looked up on the PATH, that this process talks to; throws when it cannot be started.
   * With a `root`, in a mount namespace of its own where that directory is a mount point.
   */
  startService(options: ServiceOptions): Spawned;
  /** fcntl(2), F_DUPFD. */
  duplicate(fd: number): number;
  /** flock(2) LOCK_EX; false when somebody else has it and `wait` is false. */
  lock(fd: number, wait: boolean): boolean;
  /**
   * Puts this eBPF program (bpf(2), CGROUP_DEVICE) on a cgroup, in the place of the last one put there so.
   *
   * @param shared whether many containers have it: then it is loaded once and pinned, where there is a bpffs
   * @returns false when another program has its place in the bpffs, which was not used
   */
  filterDevices(cgroupFd: number, instructions: Uint8Array, shared: boolean): boolean;
  /** A NETLINK_ROUTE socket in a network namespace, or in this process's with -1. */
  netlinkOpen(networkNamespace: number): number;
  /** Sends one message with NLM_F_ACK or NLM_F_DUMP; gives the messages of the answer, without the end or the ack. */
  netlinkRequest(socket: number, message: Uint8Array): Buffer;
  /** CLONE_NEW* of a namespace's descriptor (ioctl_ns(2)); ENOTTY: not a namespace. */
  namespaceType(fd: number): number;
  /** A filter by libseccomp; no exception: `failure` says what went wrong. */
  compileSeccomp(profile: SeccompProfile): SeccompOutcome;
  libseccompVersion(): string;
  /** The system calls of this machine that libseccomp knows. */
  syscallNames(): string[];
  /**
   * Whether a filesystem takes its options, each as fsconfig(2) has it; nothing is made. A type that the kernel does not
   * know yet has it look for a module.
   *
   * @returns one for each
   */
  tryFilesystem(type: string, parameters: readonly string[]): OptionVerdict[];
  /** Those of these flags of seccomp(2) that the kernel knows. */
  seccompFlags(flags: readonly Wide[]): number[];
  /**
   * Whether in a valid JSON text no object has a name twice and nothing nests deeper. False also when a name is written
   * with a backslash, so that its bytes do not tell.
   */
  hasPlainKeys(text: string, maxDepth: number): boolean;
  /** 16 hexadecimal digits of FNV-1a: to name things and to find damage, no defence against an adversary. */
  checksum(bytes: Uint8Array): string;
  /**
   * Calls a method of systemd's manager (org.freedesktop.systemd1(5)) and, with `job`, waits for the job it starts.
   *
   * @returns the job's result: `done`, `failed`, `canceled`, `timeout`, …; empty without `job`
   * @throws Error whose `code` is an errno's name or a D-Bus error's; `syscall` is dlopen (`path` then says why), connect
   *   or D-Bus
   * @library
   */
  systemdCall(call: SystemdCall): string;
  /**
   * A property, of type string, of one of systemd's objects (org.freedesktop.systemd1(5)).
   *
   * @throws Error as systemdCall
   * @library
   */
  systemdProperty(of: SystemdProperty): string;
  // For src/standalone/fs.ts, which says what they mean.
  readFile(path: string | number): Buffer;
  writeFile(path: string, bytes: Uint8Array, flags: number, mode: number): void;
  open(path: string, flags: number, mode: number): number;
  close(fd: number): void;
  readAt(fd: number, bytes: Uint8Array, position: Wide): number;
  writeAt(fd: number, bytes: Uint8Array, position: Wide): number;
  truncate(fd: number, size: Wide): void;
  makeDirectory(path: string, mode: number): void;
  removeDirectory(path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  symlink(target: string, path: string): void;
  sync(fd: number): void;
  chown(path: string, uid: Wide, gid: Wide): void;
  readLink(path: string): string;
  stat(path: string | number, follow: boolean): FileStatus | null;
  /** Names and types ('directory', 'file', 'other') in turn. */
  readDirectory(path: string): string[];
  /**
   * Sorted names of the directories in a directory: `having` this file and of this user; and the `others`, of which that is
   * not so or cannot be seen. In one call, as there may be thousands.
   */
  directoriesWith(path: string, file: string): SortedDirectories;
  /** f_type of statfs(2). */
  filesystemType(path: string): number;
  /** sched_setattr(2) */
  setScheduler(pid: number, attributes: SchedulerAttributes): void;
  /** ioprio_set(2) of one process: class << 13 | priority. */
  setIoPriority(pid: number, value: number): void;
  /** sched_setaffinity(2) of this thread, which the processes it makes inherit. */
  setOwnCpuAffinity(mask: BigUint64Array): void;
  /** A detached copy of a file or directory tree, as a slave of where it comes from: open_tree(2), mount_setattr(2). */
  openTree(path: string, recursive: boolean, noFollow: boolean): number;
  /** ID-maps a detached tree with a user namespace's mappings: mount_setattr(2). */
  mapTree(tree: number, userNamespace: number, recursive: boolean): void;
  /** A user namespace without processes, with these lines in its uid_map and gid_map. */
  makeUserNamespace(uidMap: string, gidMap: string): number;
  /** CLOCK_MONOTONIC in nanoseconds, as init reads it. */
  monotonicTime(): bigint;
  /** When the addon was loaded, by the same clock. */
  loadTime(): bigint;
  /** A datagram socket `name` in `directory` that everybody may send to; replaces what is there. */
  notifyListen(directory: string, name: string): number;
  /** A datagram socket connected to the address in NOTIFY_SOCKET (sd_notify(3)). */
  notifyConnect(address: string): number;
  /**
   * Passes READY= on, with MAINPID=. Returns after the first one or when the process has ended; with `background` at
   * once, and goes on in a thread until the process ends.
   */
  notifyRelay(relay: NotifyRelay, background: boolean): void;
  /** Waits until the thread has passed everything on; the process must have ended. */
  notifyFinish(): void;
}

/** What Node alone has of it, for the library (addon/node). */
export interface NodeAddon extends Addon {
  /** Begins to watch, in a thread: the callback gets the token of each descriptor that is ready. Once for each thread of JS. */
  watchWith(callback: (token: number) => void): void;
  /** Until it is ready for the first time: readable, or with `priority` as pollPriority has it. Tokens count from 1. */
  watch(fd: number, token: Wide, priority: boolean): void;
  /** To be called before it is closed. */
  unwatch(fd: number): void;
  /** Whether what is watched keeps this process alive. */
  holdLoop(whether: boolean): void;
  /** pipe2(2): the end to read from, and the one to write to. */
  makePipe(nonblocking: boolean): [number, number];
  /** A byte that comes from there, a signal's number, is to this thread what catchInterrupts has of signals. -1: signals. */
  interruptFrom(fd: number): void;
}

let loaded: Addon | undefined;

/** The addon, loaded at first use: `--help` and bad input need none. */
export function addon(): Addon {
  if (loaded === undefined) {
    loaded = standalone ? builtIn() : loadBesideBundle();
  }
  return loaded;
}

/** In the standalone executable it is a part of the engine (addon/engine/host.cc). */
function builtIn(): Addon {
  return (globalThis as unknown as { tsrunHost: { addon: Addon } }).tsrunHost.addon;
}

/** The same for the library, which only Node runs. */
export function nodeAddon(): NodeAddon {
  return addon() as NodeAddon;
}

/** The npm package has one for each architecture, a checkout on ARM its own. */
function addonFile(): string {
  const own = join(__dirname, 'Release', 'tsrun.node');
  const foreign = join(__dirname, 'aarch64', 'Release', 'tsrun.node');
  return process.arch === 'arm64' && isThere(foreign) ? foreign : own;
}

function loadBesideBundle(): Addon {
  const module = { exports: {} };
  try {
    process.dlopen(module, addonFile());
  } catch (error) {
    // The dynamic linker's words name the file.
    throw new TsrunError(`cannot load the addon: ${(error as Error).message}`, {
      hint: 'rebuild it with npm run build',
      cause: error,
    });
  }
  return module.exports as Addon;
}
