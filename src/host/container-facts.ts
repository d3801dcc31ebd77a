import { readFileSync, readlinkSync } from 'node:fs';
import type { NamespaceType } from '../generated/spec.ts';
import { isProcessGone } from '../there.ts';
import { hiddenProcess, isAlive, type ProcessIdentity } from './processes.ts';

/** What exec must know about the container that it enters. */
export interface ContainerFacts {
  /** The init process. */
  readonly init: ProcessIdentity;
  /** Namespaces that differ from the runtime's own, and so must be joined. */
  readonly namespaces: readonly NamespaceType[];
  /** Absolute path of the cgroup to be born in; null: the runtime's own. */
  readonly cgroup: string | null;
  /** Init's present cgroup if it is a different one: below `cgroup` when the container has moved init. */
  readonly initCgroup: string | null;
}

/** Names below /proc/PID/ns; for pid and time, those of the process itself and not of its children. */
const files: readonly (readonly [NamespaceType, string])[] = [
  ['user', 'user'],
  ['cgroup', 'cgroup'],
  ['ipc', 'ipc'],
  ['uts', 'uts'],
  ['network', 'net'],
  ['pid', 'pid'],
  ['time', 'time'],
  ['mount', 'mnt'],
];

/** @param cgroupMount mount point of cgroup v2; null without one */
export function gatherContainerFacts(
  init: ProcessIdentity,
  cgroup: string | null,
  cgroupMount: string | null,
): ContainerFacts {
  const { pid } = init;
  // setns(2) demands the same of its caller as /proc does before it shows a process (ptrace(2), PTRACE_MODE_READ).
  if (namespaceId(pid, 'mnt') === '' && isAlive(init)) throw hiddenProcess(pid);
  const namespaces = files
    .filter(([, file]) => namespaceId(pid, file) !== namespaceId('self', file))
    .map(([type]) => type);
  const now = cgroup === null || cgroupMount === null ? undefined : cgroupOfProcess(pid, cgroupMount);
  return { init, namespaces, cgroup, initCgroup: now === undefined || now === cgroup ? null : now };
}

/** `pid:[4026531836]`, or '' if the kernel has no such namespace. */
function namespaceId(pid: number | 'self', file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${file}`);
  } catch (error) {
    if (isProcessGone(error)) return '';
    // If it were taken for the runtime's own namespace, the program would run in the host's.
    throw error;
  }
}

/** The cgroup v2 directory of a process, below `mount`; undefined when the process is gone. */
function cgroupOfProcess(pid: number, mount: string): string | undefined {
  try {
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    return path === undefined ? undefined : mount + path;
  } catch (error) {
    if (isProcessGone(error)) return undefined;
    throw error;
  }
}
