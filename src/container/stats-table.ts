import { unlimited } from '../cgroup/files.ts';
import type { BlockIOEntry } from '../cgroup/stats.ts';
import type { StatsEvent } from './events.ts';

/** Statistics of one container at a moment. */
export interface Sample {
  readonly event: StatsEvent;
  /** Monotonic, in nanoseconds. */
  readonly at: bigint;
}

const headings = ['ID', 'CPU', 'MEMORY', 'LIMIT', 'MEM', 'PRESSURE', 'PIDS', 'READ', 'WRITTEN'];

/**
 * One line a container, as wide as its longest value. CPU is the share of one CPU used since the earlier sample;
 * PRESSURE the share of the last ten seconds in which a process waited for memory.
 */
export function statsTable(samples: readonly Sample[], earlier: ReadonlyMap<string, Sample>): string {
  const rows = [headings, ...samples.map((sample) => row(sample, earlier.get(sample.event.id)))];
  const widths = headings.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) => {
      // Names to the left, numbers to the right.
      const padded = cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
      return `${padded.join('  ')}\n`;
    })
    .join('');
}

function row({ event: { id, data }, at }: Sample, earlier: Sample | undefined): string[] {
  const { cpu, memory, pids, blkio } = data;
  const limit = memory === undefined || memory.usage.limit === unlimited ? undefined : Number(memory.usage.limit);
  const usage = memory === undefined ? undefined : Number(memory.usage.usage ?? 0);
  return [
    id,
    percent(cpu && earlier && cpuShare(Number(cpu.usage.total), at, earlier)),
    bytes(usage),
    bytes(limit),
    percent(usage === undefined || limit === undefined ? undefined : (100 * usage) / limit),
    percent(memory?.psi?.some?.avg10),
    pids === undefined ? '-' : `${pids.current}${Number(pids.limit) > 0 ? `/${pids.limit}` : ''}`,
    bytes(blkio && total(blkio.ioServiceBytesRecursive, 'Read')),
    bytes(blkio && total(blkio.ioServiceBytesRecursive, 'Write')),
  ];
}

function cpuShare(used: number, at: bigint, earlier: Sample): number | undefined {
  const before = earlier.event.data.cpu;
  const elapsed = Number(at - earlier.at);
  return before === undefined || elapsed <= 0 ? undefined : (100 * (used - Number(before.usage.total))) / elapsed;
}

function total(entries: readonly BlockIOEntry[], kind: BlockIOEntry['op']): number {
  return entries.filter(({ op }) => op === kind).reduce((sum, { value }) => sum + Number(value), 0);
}

/** What is not known is a dash. */
function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(1)}%`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(value: number | undefined): string {
  if (value === undefined) return '-';
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1);
  const scaled = value / 1024 ** power;
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)}${units[power]}`;
}
