import type { NamespaceType } from '../generated/spec.ts';

/** Paths below /proc/sys and the namespace that each belongs to; a slash at the end stands for a whole directory. */
const namespaced: readonly (readonly [path: string, NamespaceType])[] = [
  ['net/', 'network'],
  ['fs/mqueue/', 'ipc'],
  ['kernel/auto_msgmni', 'ipc'],
  ['kernel/msgmax', 'ipc'],
  ['kernel/msgmnb', 'ipc'],
  ['kernel/msgmni', 'ipc'],
  ['kernel/msg_next_id', 'ipc'],
  ['kernel/sem', 'ipc'],
  ['kernel/sem_next_id', 'ipc'],
  ['kernel/shmall', 'ipc'],
  ['kernel/shmmax', 'ipc'],
  ['kernel/shmmni', 'ipc'],
  ['kernel/shm_next_id', 'ipc'],
  ['kernel/shm_rmid_forced', 'ipc'],
  ['kernel/domainname', 'uts'],
  ['kernel/ns_last_pid', 'pid'],
  ['kernel/pid_max', 'pid'],
  // Per pid namespace since Linux 6.3, where it is new.
  ['vm/memfd_noexec', 'pid'],
  ['user/', 'user'],
];

/** Parameters that older kernels share between all namespaces: kernel.pid_max until Linux 6.14. */
export const youngParameters: readonly string[] = ['kernel/pid_max'];

/** The namespace that a parameter belongs to; undefined if it belongs to none. */
export function sysctlNamespace(key: string): NamespaceType | undefined {
  const path = sysctlPath(key);
  return namespaced.find(([prefix]) => (prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix))?.[1];
}

/**
 * The file of a parameter below /proc/sys. sysctl(8) takes both a.b.c and a/b/c: the separator that comes first counts,
 * and the other one is part of a name (net.ipv4.conf.eth0/1.mtu is net/ipv4/conf/eth0.1/mtu).
 */
export function sysctlPath(key: string): string {
  if (/^[^.]*\//.test(key)) return key;
  return key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}
