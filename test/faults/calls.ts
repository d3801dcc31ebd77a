/**
 * The errors with which system calls are made to fail: those that a working kernel can return in bad conditions
 * (errno(3)).
 */
import { constants } from 'node:os';

type ErrorName = keyof typeof constants.errno;

/** Calls of every program's start, or without an error that can occur: they are only places for a kill. */
const withoutErrors = new Set([
  'arch_prctl',
  'brk',
  'exit',
  'exit_group',
  'futex',
  'getegid',
  'geteuid',
  'getgid',
  'getpid',
  'getppid',
  'getrandom',
  'gettid',
  'getuid',
  'madvise',
  'mprotect',
  'munmap',
  'rseq',
  'rt_sigaction',
  'rt_sigprocmask',
  'rt_sigreturn',
  'set_robust_list',
  'set_tid_address',
  'sched_yield',
  'umask',
]);

/** Nothing runs after these, or the kernel forbids it. */
const withoutKill = new Set(['exit', 'exit_group', 'rt_sigreturn']);

const families: [calls: string[], errors: ErrorName[]][] = [
  [
    ['openat', 'openat2', 'open'],
    ['EACCES', 'EMFILE', 'ENOMEM', 'EIO'],
  ],
  [
    ['newfstatat', 'statx', 'stat', 'lstat', 'fstat', 'access', 'faccessat', 'faccessat2', 'readlink', 'readlinkat'],
    ['EACCES', 'ENOMEM', 'EIO'],
  ],
  [['read', 'pread64', 'getdents64'], ['EIO']],
  [
    ['write', 'pwrite64', 'ftruncate', 'fsync', 'fdatasync'],
    ['ENOSPC', 'EIO'],
  ],
  [['close'], ['EIO']],
  [
    ['mkdir', 'mkdirat', 'mknodat', 'symlinkat', 'rename', 'renameat', 'renameat2', 'bind'],
    ['EACCES', 'ENOSPC', 'EROFS'],
  ],
  [
    ['unlink', 'unlinkat', 'rmdir'],
    ['EACCES', 'EBUSY', 'EROFS', 'EIO'],
  ],
  [
    ['clone3', 'clone', 'fork', 'vfork'],
    ['EAGAIN', 'ENOMEM'],
  ],
  [
    ['execve', 'execveat'],
    ['ENOMEM', 'EACCES'],
  ],
  [
    ['memfd_create', 'pipe2', 'socket', 'socketpair', 'pidfd_open', 'accept4', 'dup', 'dup3', 'epoll_create1'],
    ['EMFILE', 'ENOMEM'],
  ],
  // Checks of a descriptor, and copies of one: fcntl(2) has no other error that occurs.
  [['fcntl'], ['EMFILE']],
  [['flock'], ['ENOLCK', 'EINTR']],
  [
    ['sendmsg', 'sendto'],
    ['ENOMEM', 'EPIPE'],
  ],
  [
    ['recvmsg', 'recvfrom'],
    ['ENOMEM', 'ECONNRESET'],
  ],
  [
    ['connect', 'kill', 'pidfd_send_signal'],
    ['EPERM', 'EACCES'],
  ],
  [['poll', 'ppoll', 'mmap'], ['ENOMEM']],
  [
    ['setresuid', 'setresgid', 'setgroups', 'prlimit64'],
    ['EPERM', 'EAGAIN'],
  ],
  [
    ['keyctl', 'add_key'],
    ['EDQUOT', 'EACCES'],
  ],
  [
    ['bpf', 'seccomp'],
    ['EPERM', 'ENOMEM', 'E2BIG'],
  ],
];

const others: ErrorName[] = ['EPERM', 'ENOMEM'];
const byCall = new Map(families.flatMap(([calls, errors]) => calls.map((call) => [call, errors] as const)));

export function errorsOf(call: string): ErrorName[] {
  return withoutErrors.has(call) ? [] : (byCall.get(call) ?? others);
}

/** Whether the call may write only half of its bytes (write(2)). */
export function canBeShort(call: string): boolean {
  return call === 'write' || call === 'pwrite64';
}

export function canBeKilledAt(call: string): boolean {
  return !withoutKill.has(call);
}

export function numberOf(error: ErrorName): number {
  return constants.errno[error];
}
