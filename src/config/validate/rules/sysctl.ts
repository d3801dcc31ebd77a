/**
 * Kernel parameters (config-linux.md, Sysctl). Only those of a namespace that the container does not share with the host
 * may be set: all others would change the host.
 */

import type { NamespaceType, Spec } from '../../../generated/spec.ts';
import { appendPointer } from '../../read/pointer.ts';
import { type Problem, show } from '../finding.ts';
import { needsNamespace, type Rule, when } from './rule.ts';

/** Paths below /proc/sys, a slash at the end for all of a directory, and the namespace they belong to. */
const namespaced: readonly (readonly [path: string, NamespaceType])[] = [
  ['net/', 'network'],
  ['fs/mqueue/', 'ipc'],
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
  ['user/', 'user'],
];

export const sysctlErrors: Rule[] = [
  {
    name: 'sysctl',
    reads: ['/linux/sysctl', '/linux/namespaces'],
    check: (spec) => Object.keys(spec.linux?.sysctl ?? {}).flatMap((key) => sysctlProblems(key, spec)),
  },
];

function sysctlProblems(key: string, spec: Spec): Problem[] {
  const pointer = appendPointer('/linux/sysctl', key);
  const path = sysctlPath(key);
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    return when(true, pointer, () => `must be the name of a kernel parameter, found ${show(key)}`);
  }
  if (path === 'kernel/hostname') return when(true, pointer, 'cannot be set here', 'use /hostname');
  const type = sysctlNamespace(key);
  if (type !== undefined) return needsNamespace(spec, type, pointer);
  return when(true, pointer, 'belongs to no namespace, and setting it would change the host');
}

/** The namespace that a parameter belongs to; undefined when it belongs to none. */
export function sysctlNamespace(key: string): NamespaceType | undefined {
  const path = sysctlPath(key);
  return namespaced.find(([prefix]) => (prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix))?.[1];
}

/**
 * The file of a parameter below /proc/sys. sysctl(8) takes both a.b.c and a/b/c; the separator that comes first decides,
 * and the other one is then part of a name (net.ipv4.conf.eth0/1.mtu is net/ipv4/conf/eth0.1/mtu).
 */
export function sysctlPath(key: string): string {
  if (/^[^.]*\//.test(key)) return key;
  return key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}
