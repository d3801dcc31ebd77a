/** A cgroup's figures as containerd has them (github.com/containerd/cgroups, cgroup2/stats/metrics.proto). */

import type { JobResult } from '../library/jobs.ts';
import { encode, type MessageType } from '../protobuf/wire.ts';

type Metrics = JobResult<'metrics'>;
type Figures = Readonly<Record<string, number | bigint | string>>;

const pids = numbered(['current', 'limit']);
const cpu = numbered(['usage_usec', 'user_usec', 'system_usec', 'nr_periods', 'nr_throttled', 'throttled_usec']);
/** In the order of their numbers, from 1 on. */
const memory = numbered([
  ...['anon', 'file', 'kernel_stack', 'slab', 'sock', 'shmem', 'file_mapped', 'file_dirty', 'file_writeback'],
  ...['anon_thp', 'inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable', 'slab_reclaimable'],
  ...['slab_unreclaimable', 'pgfault', 'pgmajfault', 'workingset_refault', 'workingset_activate'],
  ...['workingset_nodereclaim', 'pgrefill', 'pgscan', 'pgsteal', 'pgactivate', 'pgdeactivate', 'pglazyfree'],
  ...['pglazyfreed', 'thp_fault_alloc', 'thp_collapse_alloc', 'usage', 'usage_limit', 'swap_usage', 'swap_limit'],
  ...['max_usage', 'swap_max_usage'],
]);
const memoryEvents = numbered(['low', 'high', 'max', 'oom', 'oom_kill']);
const io = numbered(['major', 'minor', 'rbytes', 'wbytes', 'rios', 'wios']);
const hugetlb: MessageType = { ...numbered(['current', 'max']), pagesize: [3, 'string'] };

const message = {
  pids: [1, pids],
  cpu: [2, cpu],
  memory: [4, memory],
  io: [6, { usage: [1, io, 'repeated'] }],
  hugetlb: [7, hugetlb, 'repeated'],
  memory_events: [8, memoryEvents],
} as const satisfies MessageType;

function numbered(names: readonly string[]): MessageType {
  return Object.fromEntries(names.map((name, index) => [name, [index + 1, 'uint64'] as const]));
}

/** The message in an Any. */
export function metricsMessage(metrics: Metrics): { type_url: string; value: Uint8Array } {
  const value = encode(
    message as MessageType,
    {
      ...(metrics.pids && { pids: wide(metrics.pids) }),
      ...(metrics.cpu && { cpu: wide(metrics.cpu) }),
      ...(metrics.memory && { memory: wide(withBothRefaults(metrics.memory)) }),
      ...(metrics.memoryEvents && { memory_events: wide(metrics.memoryEvents) }),
      io: { usage: metrics.io.map(wide) },
      hugetlb: metrics.hugetlb.map(wide),
    } as object,
  );
  return { type_url: 'io.containerd.cgroups.v2.Metrics', value };
}

/** Linux 5.9 and later count refaults of anonymous memory and of files apart; the message has one field. */
function withBothRefaults(figures: NonNullable<Metrics['memory']>): Figures {
  const sumOf = (key: string) => BigInt(figures[`${key}_anon`] ?? 0) + BigInt(figures[`${key}_file`] ?? 0);
  return {
    workingset_refault: sumOf('workingset_refault'),
    workingset_activate: sumOf('workingset_activate'),
    ...figures,
  };
}

function wide(figures: Figures): Figures {
  const entries = Object.entries(figures);
  return Object.fromEntries(entries.map(([key, value]) => [key, typeof value === 'string' ? value : BigInt(value)]));
}
