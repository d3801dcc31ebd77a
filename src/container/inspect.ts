/** Collects all that can be seen of a container from outside. */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CgroupFiles, type Count, unlimited } from '../cgroup/files.ts';
import { cgroupPids } from '../cgroup/processes.ts';
import type { NamespaceType } from '../generated/spec.ts';
import { networkInterfaces } from '../host/network.ts';
import { capabilitiesIn } from '../linux/capabilities.ts';
import { namesIn, textOf } from '../there.ts';
import type { ContainerRecord } from './record.ts';
import { type PrintedState, printedState } from './state.ts';
import type { ContainerDirectory } from './store.ts';

export interface InspectedNamespace {
  readonly type: NamespaceType;
  /** The number that lsns(8) shows for it. */
  readonly inode: number;
  /** Whether the caller of the runtime is in it, too. */
  readonly shared: boolean;
}

export interface InspectedMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** A limit of the cgroup and what counts against it; null: no limit, or unknown. */
export interface Limit {
  readonly name: string;
  /** The cgroup's file with the limit. */
  readonly file: string;
  readonly used: Count | null;
  readonly limit: Count | string | null;
  /** How often the limit was reached. */
  readonly reached?: Count;
}

export interface Inspected {
  readonly state: PrintedState;
  readonly cgroup: string | null;
  readonly unit?: string;
  readonly processes: number | null;
  /** All below is about its init process; null for a stopped container. */
  readonly running: {
    readonly namespaces: readonly InspectedNamespace[];
    readonly mounts: readonly InspectedMount[];
    readonly limits: readonly Limit[];
    readonly cpus: { readonly allowed: string; readonly nodes: string; readonly memoryNodes: string };
    readonly network: readonly { name: string; received: number; sent: number }[];
    readonly privileges: {
      readonly uid: number;
      readonly gid: number;
      readonly capabilities: readonly string[];
      readonly noNewPrivileges: boolean;
      readonly seccomp: 'off' | 'strict' | 'filter';
      readonly label: string | null;
    };
  } | null;
  /** Rules of the device filter; null without a filter. */
  readonly devices: readonly string[] | null;
}

export function inspectContainer(directory: ContainerDirectory): Inspected {
  const record = directory.read();
  const state = printedState(directory, record);
  const isThere = state.status !== 'stopped' && record.init !== undefined;
  return {
    state,
    cgroup: record.cgroup,
    ...(record.unit && { unit: record.unit.name }),
    processes: record.cgroup === null || !isThere ? null : cgroupPids(record.cgroup).length,
    running: isThere ? runningPart(record, record.init?.pid ?? 0) : null,
    devices: record.devices ?? null,
  };
}

function runningPart({ cgroup }: ContainerRecord, pid: number): Inspected['running'] {
  const status = statusFields(pid);
  const allowed = status.get('Cpus_allowed_list') ?? '';
  return {
    namespaces: namespacesOf(pid),
    mounts: mountsOf(textOf(`/proc/${pid}/mountinfo`)),
    limits: cgroup === null ? [] : limitsOf(new CgroupFiles(cgroup)),
    cpus: { allowed, nodes: nodesOf(allowed), memoryNodes: status.get('Mems_allowed_list') ?? '' },
    network: networkInterfaces(pid).map(({ Name, RxBytes, TxBytes }) => ({
      name: Name,
      received: Number(RxBytes),
      sent: Number(TxBytes),
    })),
    privileges: privilegesOf(pid, status),
  };
}

const namespaceFiles: readonly (readonly [NamespaceType, string])[] = [
  ['cgroup', 'cgroup'],
  ['ipc', 'ipc'],
  ['mount', 'mnt'],
  ['network', 'net'],
  ['pid', 'pid'],
  ['time', 'time'],
  ['user', 'user'],
  ['uts', 'uts'],
];

function namespacesOf(pid: number): InspectedNamespace[] {
  return namespaceFiles.flatMap(([type, file]) => {
    const inode = inodeOf(`/proc/${pid}/ns/${file}`);
    return inode === undefined ? [] : [{ type, inode, shared: inode === inodeOf(`/proc/self/ns/${file}`) }];
  });
}

function inodeOf(path: string): number | undefined {
  try {
    return Number(/\[(\d+)\]/.exec(readlinkSync(path))?.[1]);
  } catch {
    return undefined;
  }
}

/** @param text of /proc/PID/mountinfo (proc_pid_mountinfo(5)) */
export function mountsOf(text: string): InspectedMount[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const fields = line.split(' ').map(unescaped);
      const [, , , root = '', destination = '', options = ''] = fields;
      const [type = '', source = '', superOptions = ''] = fields.slice(fields.indexOf('-') + 1);
      const all = [...options.split(','), ...superOptions.split(',')].filter((name) => name !== '');
      // A bind mount may show only part of its filesystem.
      const from = root === '/' ? source : `${source}[${root}]`;
      return { destination, type, source: from, options: [...new Set(all)] };
    });
}

/** The kernel writes space, tab, newline and backslash as octal numbers. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Limits with a second file for what is used of them. */
const counted = [
  ['memory', 'memory.max', 'memory.current', 'memory.events', 'max'],
  ['swap', 'memory.swap.max', 'memory.swap.current', 'memory.swap.events', 'max'],
  ['processes', 'pids.max', 'pids.current', 'pids.events', 'max'],
] as const;

/** Limits that are not a single number, or have no count. */
const written = [
  ['CPU time', 'cpu.max'],
  ['CPU weight', 'cpu.weight'],
  ['CPUs', 'cpuset.cpus'],
  ['memory nodes', 'cpuset.mems'],
  ['I/O', 'io.max'],
  ['I/O weight', 'io.weight'],
] as const;

/** The limits in force, as the cgroup states them. */
export function limitsOf(files: CgroupFiles): Limit[] {
  const numbers = counted.flatMap(([name, file, use, events, key]): Limit[] => {
    const limit = files.count(file);
    const used = files.count(use);
    if (limit === undefined && used === undefined) return [];
    const reached = files.keyed(events)?.[key];
    const none = limit === undefined || limit === unlimited;
    return [{ name, file, used: used ?? null, limit: none ? null : limit, ...(reached !== undefined && { reached }) }];
  });
  const texts = written.flatMap(([name, file]): Limit[] => {
    const text = files.text(file)?.trim().replaceAll('\n', '; ');
    if (text === undefined) return [];
    const isNone = text === '' || text.startsWith('max ');
    return [{ name, file, used: null, limit: isNone ? null : text }];
  });
  const pages = files.names().flatMap((file): Limit[] => {
    const size = /^hugetlb\.(\w+)\.max$/.exec(file)?.[1];
    const limit = size && files.count(file);
    if (!size || limit === undefined || limit === '' || limit === unlimited) return [];
    return [{ name: `${size} pages`, file, used: files.count(`hugetlb.${size}.current`) ?? null, limit }];
  });
  return [...numbers, ...texts, ...pages];
}

function statusFields(pid: number): Map<string, string> {
  const lines = textOf(`/proc/${pid}/status`).split('\n');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
}

function privilegesOf(pid: number, status: Map<string, string>) {
  const effective = BigInt(`0x${status.get('CapEff') ?? '0'}`);
  const label = textOf(`/proc/${pid}/attr/current`).replace(/\0/g, '').trim();
  const modes = ['off', 'strict', 'filter'] as const;
  return {
    uid: Number(status.get('Uid')?.split('\t')[1] ?? 0),
    gid: Number(status.get('Gid')?.split('\t')[1] ?? 0),
    capabilities: capabilitiesIn(effective),
    noNewPrivileges: status.get('NoNewPrivs') === '1',
    seccomp: modes[Number(status.get('Seccomp') ?? 0)] ?? 'off',
    label: label === '' ? null : label,
  };
}

/** The NUMA nodes of these CPUs, as a list. */
function nodesOf(allowed: string): string {
  const root = '/sys/devices/system/node';
  const cpus = numbersIn(allowed);
  const nodes = namesIn(root).filter((name) => {
    return /^node\d+$/.test(name) && [...numbersIn(textOf(join(root, name, 'cpulist')))].some((cpu) => cpus.has(cpu));
  });
  return nodes
    .map((name) => Number(name.slice(4)))
    .sort((a, b) => a - b)
    .join(',');
}

/** `0-2,7` becomes 0, 1, 2, 7. */
function numbersIn(list: string): Set<number> {
  const numbers = new Set<number>();
  for (const range of list.trim().split(',').filter(Boolean)) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return numbers;
}
