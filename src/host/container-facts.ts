import { readFileSync, readlinkSync } from 'node:fs';
import type { NamespaceType } from '../generated/spec.ts';
import { isProcessGone } from '../there.ts';
import { hiddenProcess, isAlive, type ProcessIdentity } from './processes.ts';

/** What exec must know of the container it enters. */
export interface ContainerFacts {
  /** The init process. */
  readonly init: ProcessIdentity;
  /** Namespaces that differ from the runtime's own, and so must be joined. */
  readonly namespaces: readonly NamespaceType[];
  /** Absolute path of the cgroup to be born in; null: the runtime's own. */
  readonly cgroup: string | null;
  /** Where init is now, if that is another one: below `cgroup` when the container has moved it. */
  readonly initCgroup: string | null;
}

/** Names below /proc/PID/ns; for pid and time that of the process itself, not of its children. */
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

/** @param cgroupMount of cgroup v2; null where there is none */
export function gatherContainerFacts(
  init: ProcessIdentity,
  cgroup: string | null,
  cgroupMount: string | null,
): ContainerFacts {
  const { pid } = init;
  // setns(2) asks of the caller what /proc asks before it shows a process (ptrace(2), PTRACE_MODE_READ).
  if (namespaceId(pid, 'mnt') === '' && isAlive(init)) throw hiddenProcess(pid);
  const namespaces = files
    .filter(([, file]) => namespaceId(pid, file) !== namespaceId('self', file))
    .map(([type]) => type);
  const now = cgroup === null || cgroupMount === null ? undefined : cgroupOfProcess(pid, cgroupMount);
  return { init, namespaces, cgroup, initCgroup: now === undefined || now === cgroup ? null : now };
}

/** `pid:[4026531836]`, or '' where the kernel has no such namespace. */
function namespaceId(pid: number | 'self', file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${file}`);
  } catch (error) {
    if (isProcessGone(error)) return '';
    // Taken for the runtime's own, the program would run in the host's.
    throw error;
  }
}

/** The cgroup v2 path that a process is in, below `mount`; undefined when it is gone. */
function cgroupOfProcess(pid: number, mount: string): string | undefined {
  try {
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    return path === undefined ? undefined : mount + path;
  } catch (error) {
    if (isProcessGone(error)) return undefined;
    throw error;
  }
}
