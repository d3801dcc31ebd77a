import { unlimited } from '../cgroup/files.ts';
import type { BlockIOEntry } from '../cgroup/stats.ts';
import type { StatsEvent } from './events.ts';

/** Statistics of one container at one moment. */
export interface Sample {
  readonly event: StatsEvent;
  /** Monotonic time in nanoseconds. */
  readonly at: bigint;
}

const headings = ['MEMORY', 'CHANGE', 'LIMIT', 'MEM', 'PRESSURE', 'PIDS'];
const rateHeadings = ['READ/s', 'WRITE/s', 'RECV/s', 'SENT/s'];

/** How many CPU shares TREND shows. */
const trendLength = 8;

/** CPU shares that earlier tables have shown, by id, newest last. */
export type Trends = Map<string, number[]>;

/**
 * Makes one line for each container; each column is as wide as its longest value. CPU is the share of one CPU used
 * since the earlier sample, and TREND shows that share in the last tables. CHANGE and the columns that end in /s are
 * per second since the earlier sample. PRESSURE is the share of the last ten seconds in which a process waited for
 * memory.
 *
 * @param trends gets the new shares; absent: no such column, as for a single look
 */
export function statsTable(samples: readonly Sample[], earlier: ReadonlyMap<string, Sample>, trends?: Trends): string {
  const titles = ['ID', 'CPU', ...(trends === undefined ? [] : ['TREND']), ...headings, ...rateHeadings];
  const rows = [titles, ...samples.map((sample) => row(sample, earlier.get(sample.event.id), trends))];
  const widths = titles.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) => {
      // Text goes to the left, numbers to the right.
      const isLeft = (i: number) => i === 0 || titles[i] === 'TREND';
      const padded = cells.map((cell, i) => (isLeft(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
      return `${padded.join('  ')}\n`;
    })
    .join('');
}

function row({ event: { id, data }, at }: Sample, earlier: Sample | undefined, trends?: Trends): string[] {
  const { cpu, memory, pids } = data;
  const limit = memory === undefined || memory.usage.limit === unlimited ? undefined : Number(memory.usage.limit);
  const usage = memory === undefined ? undefined : Number(memory.usage.usage ?? 0);
  const elapsed = earlier === undefined ? 0 : Number(at - earlier.at) / 1e9;
  const rate = (count: (data: StatsEvent['data']) => number | undefined) => {
    const [now, before] = [count(data), earlier && count(earlier.event.data)];
    return now === undefined || before === undefined || elapsed <= 0 ? undefined : (now - before) / elapsed;
  };
  const nanoseconds = rate((of) => (of.cpu === undefined ? undefined : Number(of.cpu.usage.total)));
  const share = cpu && nanoseconds !== undefined ? nanoseconds / 1e7 : undefined;
  return [
    id,
    percent(share),
    ...(trends === undefined ? [] : [trendOf(id, share, trends)]),
    bytes(usage),
    change(rate((of) => (of.memory === undefined ? undefined : Number(of.memory.usage.usage ?? 0)))),
    bytes(limit),
    percent(usage === undefined || limit === undefined ? undefined : (100 * usage) / limit),
    percent(memory?.psi?.some?.avg10),
    pids === undefined ? '-' : `${pids.current}${Number(pids.limit) > 0 ? `/${pids.limit}` : ''}`,
    ...(['Read', 'Write'] as const).map((kind) =>
      rateText(rate(({ blkio }) => blkio && total(blkio.ioServiceBytesRecursive, kind))),
    ),
    ...(['RxBytes', 'TxBytes'] as const).map((kind) =>
      rateText(rate((of) => of.network_interfaces.reduce((sum, one) => sum + Number(one[kind]), 0))),
    ),
  ];
}

const levels = '▁▂▃▄▅▆▇█';

/** One character for each of the last shares, relative to the highest of them, or to one whole CPU. */
function trendOf(id: string, share: number | undefined, trends: Trends): string {
  const shares = [...(trends.get(id) ?? []), ...(share === undefined ? [] : [share])].slice(-trendLength);
  trends.set(id, shares);
  const most = Math.max(100, ...shares);
  return shares.map((one) => levels[Math.min(Math.floor((one / most) * levels.length), levels.length - 1)]).join('');
}

function total(entries: readonly BlockIOEntry[], kind: BlockIOEntry['op']): number {
  return entries.filter(({ op }) => op === kind).reduce((sum, { value }) => sum + Number(value), 0);
}

/** Shows nothing for a counter that has started anew, as when a device has gone. */
function rateText(perSecond: number | undefined): string {
  return perSecond === undefined || perSecond < 0 ? '-' : bytes(Math.round(perSecond));
}

function change(perSecond: number | undefined): string {
  if (perSecond === undefined) return '-';
  const rounded = Math.round(perSecond);
  return rounded === 0 ? '0B' : `${rounded > 0 ? '+' : '-'}${bytes(Math.abs(rounded))}`;
}

/** An unknown value is shown as a dash. */
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
