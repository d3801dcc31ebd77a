import type { Count } from '../cgroup/files.ts';
import { oneLine } from '../errors.ts';
import { capabilityNames } from '../linux/capabilities.ts';
import type { Style } from '../style.ts';
import type { Inspected, Limit } from './inspect.ts';
import { bytes } from './stats-table.ts';

type Row = readonly [label: string, value: string];

/** Text for people: titled groups. */
export function inspectText(found: Inspected, style: Style): string {
  const { state, cgroup, unit, processes, running, devices } = found;
  const { id, status, pid, bundle, rootfs, created, owner } = state;
  const head: Row[] = [
    ['status', `${status}${state.oomKilled ? ' (killed for want of memory)' : ''}`],
    ...(running === null ? [] : [['pid', `${pid}${processes === null ? '' : `, ${processes} processes`}`] as const]),
    ['created', `${created} by ${owner}`],
    ['bundle', bundle],
    ['rootfs', rootfs],
    ['cgroup', `${cgroup ?? 'none of its own'}${unit === undefined ? '' : ` (${unit})`}`],
  ];
  const groups: [string, readonly Row[]][] = [
    [id, head],
    ...(running === null ? [] : runningGroups(running)),
    ['devices', devices === null ? [['', 'no filter']] : devices.map((rule) => ['', rule] as const)],
  ];
  return groups
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => `${style.bold(title)}\n${table(rows, style)}`)
    .join('\n');
}

function runningGroups(running: NonNullable<Inspected['running']>): [string, readonly Row[]][] {
  const { namespaces, mounts, limits, cpus, network, privileges } = running;
  return [
    [
      'namespaces',
      namespaces.map(({ type, inode, shared }) => [type, `${inode}${shared ? ' (shared with this process)' : ''}`]),
    ],
    ['limits', limits.map((limit) => [limit.name, limitText(limit)])],
    [
      'CPUs and memory nodes',
      [
        ['CPUs', `${cpus.allowed}${cpus.nodes === '' ? '' : ` on NUMA node ${cpus.nodes}`}`],
        ['memory', cpus.memoryNodes === '' ? '-' : `NUMA node ${cpus.memoryNodes}`],
      ],
    ],
    ['privileges', privilegeRows(privileges)],
    ['network', network.map(({ name, received, sent }) => [name, `${bytes(received)} received, ${bytes(sent)} sent`])],
    [
      'mounts',
      mounts.map(({ destination, type, source, options }) => [destination, `${type} ${source} (${options.join(',')})`]),
    ],
  ];
}

function limitText({ name, used, limit, reached }: Limit): string {
  const isBytes = name === 'memory' || name === 'swap' || name.endsWith('pages');
  const show = (value: Count | string) => (isBytes ? bytes(Number(value)) : String(value));
  const often = reached !== undefined && Number(reached) > 0 ? `, reached ${reached} times` : '';
  if (used === null) return `${limit ?? 'no limit'}${often}`;
  if (limit === null) return `${show(used)} used, no limit`;
  const share = Number(limit) > 0 ? ` (${((100 * Number(used)) / Number(limit)).toFixed(1)}%)` : '';
  return `${show(used)} of ${show(limit)}${share}${often}`;
}

function privilegeRows({
  uid,
  gid,
  capabilities,
  noNewPrivileges,
  seccomp,
  label,
}: NonNullable<Inspected['running']>['privileges']): Row[] {
  const all = capabilities.length === capabilityNames.length ? 'all' : capabilities.join(', ') || 'none';
  return [
    ['user', `uid ${uid}, gid ${gid} of this user namespace`],
    ['capabilities', all],
    ['new privileges', noNewPrivileges ? 'cannot be got' : 'can be got by set-user-ID programs'],
    ['seccomp', seccomp],
    ...(label === null ? [] : [['label', label] as const]),
  ];
}

function table(rows: readonly Row[], style: Style): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows
    .map(([label, value]) => `  ${style.cyan(oneLine(label).padEnd(width))}${width > 0 ? '  ' : ''}${oneLine(value)}\n`)
    .join('');
}
