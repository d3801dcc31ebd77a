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

/** How a child ended: exactly one of the two is set. */
export interface ExitStatus {
  code?: number;
  signal?: number;
}

export interface SpawnOptions {
  /** CLONE_NEW* flags of clone(2). */
  flags: Wide;
  /** Descriptor of the cgroup directory that the process is born in, or -1. */
  cgroupFd: number;
  /** init's end of the socket pair. */
  syncFd: number;
  /** memfd that holds the encoded plan when init gets its first message. */
  planFd: number;
  /** Every descriptor that init keeps, syncFd and planFd included. */
  inherit: readonly number[];
  /** How many of the caller's descriptors from 3 on it also keeps. */
  preserveFds: number;
  /** Its descriptors 0, 1, 2 and so on, as many as `preserveFds` says; empty: it gets the caller's own. */
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
  /** All of them must hold; at most one for each index. */
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
  /** Index of the architecture or rule. */
  index: number;
  /** Name of the system call whose rule was refused. */
  name: string;
  /** A positive errno. */
  error: number;
}

/** If `failure` is absent, all the others are set. */
export interface SeccompOutcome {
  failure?: SeccompFailure;
  /** struct sock_filter[] */
  program?: Buffer;
  /** Names that libseccomp does not know. */
  unknown?: string[];
  /** For each architecture, the highest number of the named calls, or -1. */
  newest?: number[];
  /** libseccomp's version. */
  version: string;
}

/** A newly started init or other program. */
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
  /** Depends on `end`: exit status, signal or errno. */
  code: number;
  /** The end of its output. */
  output: string;
}

export interface ProgramOutcome extends ExitStatus {
  stdout: string;
  stderr: string;
}

export interface ServiceOptions {
  args: readonly string[];
  /** Descriptors that it inherits, under the same numbers. */
  inherit: readonly number[];
  /** Its stdin; -1: none. */
  input: number;
  /** Its stdout and stderr. */
  output: number;
  /** An absolute path, or ''. */
  root: string;
  /** With a root, a directory over which its mount namespace has an empty, read-only tmpfs; else ''. */
  empty: string;
  /** Whether it gets no signals from the terminal's keys. */
  ownGroup: boolean;
  /** For personality(2), which its children inherit; -1: as this process's. */
  persona: number;
  /** For set_mempolicy(2), which its children inherit; -1: as this process's. */
  memoryMode: number;
  /** The mask of that policy's nodes, in words; empty for none. */
  memoryNodes: BigUint64Array;
}

/** For sched_setattr(2): constants from linux/sched.h, times in nanoseconds. */
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
  /** Whether to ask the user's own systemd and not the system's. */
  user: boolean;
  member: string;
  signature: string;
  /**
   * Depends on `signature`: arrays and structs as arrays, a variant as [signature, value], 64-bit numbers also as text.
   */
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

/** What a filesystem says about an option. */
export interface OptionVerdict {
  /** A positive errno; 0 if the option is accepted. */
  error: number;
  /** The kernel's own words. */
  words: string;
}

/** The part of stat(2) that src/standalone/fs.ts needs. */
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
 * The C++ half. Every function does one thing, and throws an Error with `code` ('EPERM'), `errno` and `syscall` when
 * the kernel refuses. Descriptors are plain numbers, always close-on-exec.
 */
export interface Addon {
  /** Begins to start tsrun-init, in a thread: memfd_create(2), clone3(2), execveat(2). awaitInit must follow. */
  startInit(options: SpawnOptions): void;
  /** Waits until init has started, and throws if it cannot start. Init then waits for its first message. */
  awaitInit(): Spawned;
  /** Makes a SOCK_SEQPACKET pair. */
  socketPair(): [number, number];
  sendMessage(socket: number, bytes: Uint8Array, fd?: number): void;
  /** Returns null at the end of file, undefined when `timeoutMs` has passed. */
  receiveMessage(socket: number, size: number, timeoutMs?: number): ReceivedMessage | null | undefined;
  /** Listens on a SOCK_SEQPACKET socket `name` in `directory`, however long the path. */
  listen(directory: string, name: string): number;
  /** Connects to a socket; SOCK_SEQPACKET, or SOCK_STREAM with `stream`. */
  connect(directory: string, name: string, stream?: boolean): number;
  /** memfd_create(2), filled with so many zero bytes. */
  memfd(name: string, size: number): number;
  /**
   * Writes the init ops of a plan into a memfd, which cannot be changed afterwards.
   *
   * @param ops all ops of the plan
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
  /**
   * A number that no other process's pidfd has until the next boot; null before Linux 6.9, which has no such number.
   */
  pidfdInode(pidfd: number): number | null;
  pidfdSignal(pidfd: number, signal: number): void;
  /** Whether the process has ended; waits up to `timeoutMs` (-1: forever). */
  pidfdWait(pidfd: number, timeoutMs: number): boolean;
  /**
   * Waits for POLLPRI on one of them, which means that a cgroup's file has changed since it was read. False when
   * `timeoutMs` has passed (-1: never); without files it only waits.
   */
  pollPriority(fds: readonly number[], timeoutMs: number): boolean;
  /**
   * Starts a process that writes 0 into this cgroup.freeze when this process ends, in any way, without calling
   * endThawGuard.
   *
   * @param fd open for writing
   */
  startThawGuard(fd: number): ThawGuard;
  /**
   * Ends the guard, and returns whether the cgroup is thawed. If this process has not thawed it, the guard tries
   * repeatedly for a second.
   */
  endThawGuard(guard: ThawGuard, thawed: boolean): boolean;
  /** Whether the process is a child of this one, ended or not. */
  isChild(pidfd: number): boolean;
  /** Waits for a child's end and reaps it. */
  reap(pidfd: number): ExitStatus;
  /**
   * Like reap, and meanwhile passes this process's signals on to the child and, with a terminal (a pty's master, else
   * -1), relays stdin and stdout, in raw mode if stdin is a terminal.
   */
  waitForeground(pidfd: number, terminal: number): ExitStatus;
  /** Keeps this process's signals from now on, instead of ending it, until waitForeground passes them on. */
  holdSignals(): void;
  /**
   * From now on SIGHUP, SIGINT and SIGTERM do not end this process, but a wait of receiveMessage (EINTR) or runHook
   * (which kills the hook): only the first wait after a signal. Signals that the caller ignores stay ignored.
   */
  catchInterrupts(): void;
  /** These signals no longer end a wait; with `restore` they end this process again. */
  settleInterrupts(restore: boolean): void;
  /** The first of these signals that has come; 0 without one. */
  interruptedBy(): number;
  /** The wait status of a reaped process, which need not be a child; null if the kernel keeps none (before 6.15). */
  exitInfo(pidfd: number): number | null;
  runHook(options: HookOptions): HookOutcome;
  /** Runs a program of the host, found on the PATH, with nothing on stdin; throws if it cannot be started. */
  runProgram(args: readonly string[]): ProgramOutcome;
  /**
   * Starts a program of the host, found on the PATH, for this process to talk to; throws if it cannot be started. With
   * a `root`, it gets its own mount namespace, in which that directory is a mount point.
   */
  startService(options: ServiceOptions): Spawned;
  /** fcntl(2), F_DUPFD. */
  duplicate(fd: number): number;
  /**
   * flock(2) LOCK_EX; false if another process has the lock and `wait` is false. A wait ends with EINTR, as that of
   * receiveMessage.
   */
  lock(fd: number, wait: boolean): boolean;
  /**
   * Attaches this eBPF program (bpf(2), CGROUP_DEVICE) to a cgroup; it replaces the last one attached by this function.
   *
   * @param shared whether many containers have it: then it is loaded once and pinned, if there is a bpffs
   * @returns false when another program has its place in the bpffs, which was not used
   */
  filterDevices(cgroupFd: number, instructions: Uint8Array, shared: boolean): boolean;
  /** A NETLINK_ROUTE socket in a network namespace; with -1 in this process's own. */
  netlinkOpen(networkNamespace: number): number;
  /** Sends one message with NLM_F_ACK or NLM_F_DUMP; returns the answer's messages, without the end or the ack. */
  netlinkRequest(socket: number, message: Uint8Array): Buffer;
  /** The CLONE_NEW* of a namespace's descriptor (ioctl_ns(2)); ENOTTY: not a namespace. */
  namespaceType(fd: number): number;
  /**
   * The mount namespace that the kernel made first after its own, for kdevtmpfs: ioctl_nsfs(2), NS_MNT_GET_NEXT. -1 where
   * there is none, or it has many mounts and so is another.
   */
  openSmallMounts(): number;
  /** Compiles a filter with libseccomp. Does not throw: `failure` says what went wrong. */
  compileSeccomp(profile: SeccompProfile): SeccompOutcome;
  libseccompVersion(): string;
  /** This machine's system calls that libseccomp knows. */
  syscallNames(): string[];
  /**
   * Whether a filesystem accepts its options, each given as to fsconfig(2); makes nothing. For a type that the kernel
   * does not know yet, it looks for a module.
   *
   * @returns a verdict for each
   */
  tryFilesystem(type: string, parameters: readonly string[]): OptionVerdict[];
  /**
   * Sets options of the filesystem mounted at a path: fspick(2), and fsconfig(2) for each and to apply them. The options of
   * the mount itself stay as they are.
   *
   * @throws with errno
   */
  reconfigureFilesystem(path: string, parameters: readonly string[]): void;
  /** Those of these seccomp(2) flags that the kernel knows. */
  seccompFlags(flags: readonly Wide[]): number[];
  /**
   * Whether no object in a valid JSON text has a name twice, and nothing nests deeper. Also false if a name has a
   * backslash, as its bytes then do not tell.
   */
  hasPlainKeys(text: string, maxDepth: number): boolean;
  /** FNV-1a as 16 hexadecimal digits: for names and for finding damage, not as a defence against an attacker. */
  checksum(bytes: Uint8Array): string;
  /**
   * Calls a method of systemd's manager (org.freedesktop.systemd1(5)) and, with `job`, waits for the job it starts.
   *
   * @returns the job's result: `done`, `failed`, `canceled`, `timeout`, …; empty without `job`
   * @throws Error whose `code` is an errno's name or a D-Bus error's; `syscall` is dlopen (`path` then says why),
   *   connect or D-Bus
   * @library
   */
  systemdCall(call: SystemdCall): string;
  /**
   * Reads a string property of one of systemd's objects (org.freedesktop.systemd1(5)).
   *
   * @throws Error like systemdCall
   * @library
   */
  systemdProperty(of: SystemdProperty): string;
  // For src/standalone/fs.ts, whose comments describe them.
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
   * Sorted names of the directories in a directory: `having` lists those of this user that have the file; `others` are
   * without it, of another user, or cannot be looked into. All in one call, as there may be thousands.
   */
  directoriesWith(path: string, file: string): SortedDirectories;
  /**
   * Looks at all containers in the directory `root`, thousands in one call. Of each directory, sorted by name, nine
   * texts follow one another: its name and, of a living container whose record `file` is as this version writes it,
   * what `state` shows: ociVersion, status, pid, bundle, rootfs, created, annotations (JSON) and owner. They are empty
   * where only the code that knows every case can tell.
   *
   * @param socket name of the file that waits for start
   */
  lookAtContainers(root: string, file: string, socket: string): string[];
  /** f_type of statfs(2). */
  filesystemType(path: string): number;
  /** sched_setattr(2) */
  setScheduler(pid: number, attributes: SchedulerAttributes): void;
  /** ioprio_set(2) of one process: class << 13 | priority. */
  setIoPriority(pid: number, value: number): void;
  /**
   * Writes the file below /proc/sys, with the value that it has in the network, ipc and uts namespaces of a process.
   *
   * @param path relative, of a parameter that belongs to one of these namespaces
   */
  writeSysctl(pidfd: number, path: string, value: string): void;
  /** sched_setaffinity(2) for this thread; the processes that it makes inherit this. */
  setOwnCpuAffinity(mask: BigUint64Array): void;
  /** A detached copy of a file or directory tree, as a slave of its source: open_tree(2), mount_setattr(2). */
  openTree(path: string, recursive: boolean, noFollow: boolean): number;
  /** ID-maps a detached tree with a user namespace's mappings: mount_setattr(2). */
  mapTree(tree: number, userNamespace: number, recursive: boolean): void;
  /** mount(2), with MS_* as flags. @throws with errno, as do the next three */
  mount(source: string, target: string, type: string, flags: number, data: string): void;
  /**
   * fsopen(2), fsconfig(2) for each of `name=value`, fsmount(2) with MOUNT_ATTR_*, move_mount(2): what is too long for
   * mount(2). A value has at most 255 bytes.
   */
  mountByParameters(target: string, type: string, parameters: readonly string[], attributes: number): void;
  /** Mounts a detached tree: move_mount(2). */
  placeTree(tree: number, target: string): void;
  /** umount2(2) with MNT_DETACH. @returns false if nothing is mounted there */
  unmount(path: string): boolean;
  /** A user namespace without processes, with these lines in its uid_map and gid_map. */
  makeUserNamespace(uidMap: string, gidMap: string): number;
  /** CLOCK_MONOTONIC in nanoseconds, as init reads it. */
  monotonicTime(): bigint;
  /** When the addon was loaded, by the same clock. */
  loadTime(): bigint;
  /** Makes a datagram socket `name` in `directory` that every user may send to; replaces an existing one. */
  notifyListen(directory: string, name: string): number;
  /** A datagram socket connected to the address in NOTIFY_SOCKET (sd_notify(3)). */
  notifyConnect(address: string): number;
  /**
   * Passes READY= on, with MAINPID=. Returns after the first one, or when the process has ended; with `background` it
   * returns at once, and a thread goes on until the process ends.
   */
  notifyRelay(relay: NotifyRelay, background: boolean): void;
  /** Waits until the thread has passed everything on; the process must have ended. */
  notifyFinish(): void;
}

/** Functions that only Node's addon has, for the library (addon/node). */
export interface NodeAddon extends Addon {
  /**
   * Begins to watch, in a thread: the callback gets the token of each descriptor that becomes ready. Called once for
   * each JS thread.
   */
  watchWith(callback: (token: number) => void): void;
  /**
   * Watches until the descriptor is first ready: readable, or with `priority` as in pollPriority. Tokens start at 1.
   */
  watch(fd: number, token: Wide, priority: boolean): void;
  /** Must be called before the descriptor is closed. */
  unwatch(fd: number): void;
  /** Sets whether watches keep this process alive. */
  holdLoop(whether: boolean): void;
  /** pipe2(2): the end to read from, and the one to write to. */
  makePipe(nonblocking: boolean): [number, number];
  /**
   * For this thread, bytes from this descriptor replace the signals of catchInterrupts; each is a signal's number. -1:
   * signals again.
   */
  interruptFrom(fd: number): void;
  /** ioctl_tty(2), TIOCSWINSZ: sets the size of a terminal by its master. */
  resizeTerminal(master: number, columns: number, rows: number): void;
  /** ioctl_tty(2), TIOCGPTPEER: opens the other end of a terminal. */
  openPeer(master: number): number;
  /**
   * How a child has ended, as a wait status (wait(2)); it stays to be reaped. Null if it has not ended, or is still its
   * tracer's; with `wait` this is waited for.
   */
  peekExit(pidfd: number, wait: boolean): number | null;
  /** malloc_trim(3): gives the kernel the pages back that the C library holds and nothing uses. */
  trimMemory(): void;
}

let loaded: Addon | undefined;

/** The addon, loaded at first use: `--help` and bad input need none. */
export function addon(): Addon {
  if (loaded === undefined) {
    loaded = standalone ? builtIn() : loadBesideBundle();
  }
  return loaded;
}

/** In the standalone executable the addon is part of the engine (addon/engine/host.cc). */
function builtIn(): Addon {
  return (globalThis as unknown as { tsrunHost: { addon: Addon } }).tsrunHost.addon;
}

/** The same for the library, which runs only on Node. */
export function nodeAddon(): NodeAddon {
  return addon() as NodeAddon;
}

/** The path of a native file beside the bundle. The npm package has one for each architecture; a checkout on ARM its own. */
export function nativeFile(name: string): string {
  const foreign = join(__dirname, 'aarch64', 'Release', name);
  return process.arch === 'arm64' && isThere(foreign) ? foreign : join(__dirname, 'Release', name);
}

function loadBesideBundle(): Addon {
  const module = { exports: {} };
  try {
    process.dlopen(module, nativeFile('tsrun.node'));
  } catch (error) {
    // The message is the dynamic linker's, and names the file.
    throw new TsrunError(`cannot load the addon: ${(error as Error).message}`, {
      hint: 'rebuild it with npm run build',
      cause: error,
    });
  }
  return module.exports as Addon;
}
