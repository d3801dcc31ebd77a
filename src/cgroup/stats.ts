import { CgroupFiles, type Count, sum, unlimited } from './files.ts';

/** Pressure stall information (accounting/psi.rst): shares of time in percent, total in microseconds. */
export interface Pressure {
  some?: PressureLine;
  full?: PressureLine;
}
export interface PressureLine {
  avg10: number;
  avg60: number;
  avg300: number;
  total: Count;
}

/** In bytes; `max` is the highest use so far, `failcnt` how often the limit was reached. */
export interface MemoryEntry {
  limit: Count;
  usage?: Count | undefined;
  max?: Count | undefined;
  failcnt: Count;
}

export interface BlockIOEntry {
  major: number;
  minor: number;
  op: 'Read' | 'Write' | 'Discard';
  value: Count;
}

/**
 * The data of a stats event, with runc's names. What a cgroup cannot tell, because its controller is off, is left out.
 * CPU times are in nanoseconds.
 */
export interface CgroupStats {
  cpu?: {
    usage: { total: Count; kernel: Count; user: Count };
    throttling: { periods: Count; throttledPeriods: Count; throttledTime: Count };
    psi: Pressure | undefined;
  };
  cpuset?: { cpus: number[]; mems: number[] } | undefined;
  memory?: {
    cache: Count;
    usage: MemoryEntry;
    swap: MemoryEntry;
    kernel: MemoryEntry;
    kernelTCP: MemoryEntry;
    raw: Record<string, Count>;
    psi: Pressure | undefined;
  };
  pids?: { current: Count; limit: Count };
  blkio?: { ioServiceBytesRecursive: BlockIOEntry[]; ioServicedRecursive: BlockIOEntry[]; psi: Pressure | undefined };
  hugetlb?: Record<string, { usage: Count; failcnt: Count }>;
}

/** What a cgroup and all below it use now. */
export function readStats(path: string): CgroupStats {
  const files = new CgroupFiles(path);
  return definedOnly({
    cpu: cpuStats(files),
    cpuset: cpusetStats(files),
    memory: memoryStats(files),
    pids: pidsStats(files),
    blkio: blockIOStats(files),
    hugetlb: hugepageStats(files),
  });
}

function definedOnly(stats: { [K in keyof CgroupStats]: CgroupStats[K] | undefined }): CgroupStats {
  return Object.fromEntries(Object.entries(stats).filter(([, value]) => value !== undefined)) as CgroupStats;
}

/** Every cgroup's cpu.stat has times; throttling is there only if the controller is on. */
function cpuStats(files: CgroupFiles): CgroupStats['cpu'] {
  const stat = files.keyed('cpu.stat');
  if (stat === undefined) return undefined;
  const nanoseconds = (key: string) => BigInt(stat[key] ?? 0) * 1000n;
  return {
    usage: { total: nanoseconds('usage_usec'), kernel: nanoseconds('system_usec'), user: nanoseconds('user_usec') },
    throttling: {
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttledTime: nanoseconds('throttled_usec'),
    },
    psi: pressure(files, 'cpu'),
  };
}

function cpusetStats(files: CgroupFiles): CgroupStats['cpuset'] {
  const cpus = files.text('cpuset.cpus.effective');
  if (cpus === undefined) return undefined;
  return { cpus: numberList(cpus), mems: numberList(files.text('cpuset.mems.effective') ?? '') };
}

/** `0-2,7` becomes 0, 1, 2, 7. */
function numberList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter(Boolean)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

function memoryStats(files: CgroupFiles): CgroupStats['memory'] {
  const current = files.count('memory.current');
  if (current === undefined) return undefined;
  const raw = files.keyed('memory.stat') ?? {};
  const limit = files.count('memory.max') ?? unlimited;
  const events = files.keyed('memory.events');
  const none: MemoryEntry = { limit: unlimited, failcnt: 0 };
  return {
    cache: raw.file ?? 0,
    usage: { limit, usage: current, max: files.count('memory.peak'), failcnt: events?.max ?? 0 },
    swap: swapStats(files, current, limit),
    // Part of usage on cgroup v2, which reports it but cannot limit it.
    kernel: { ...none, usage: raw.kernel },
    kernelTCP: { ...none, usage: raw.sock },
    raw,
    psi: pressure(files, 'memory'),
  };
}

/** Memory and swap together, as cgroup v1 counted them and as linux.resources.memory.swap means it. */
function swapStats(files: CgroupFiles, memory: Count, memoryLimit: Count): MemoryEntry {
  const limit = files.count('memory.swap.max') ?? 0;
  return {
    limit: limit === unlimited || memoryLimit === unlimited ? unlimited : sum(limit, memoryLimit),
    usage: sum(files.count('memory.swap.current') ?? 0, memory),
    failcnt: files.keyed('memory.swap.events')?.fail ?? 0,
  };
}

/** A limit of 0 means no limit, as in runc. */
function pidsStats(files: CgroupFiles): CgroupStats['pids'] {
  const current = files.count('pids.current');
  if (current === undefined) return undefined;
  const limit = files.count('pids.max') ?? unlimited;
  return { current, limit: limit === unlimited ? 0 : limit };
}

function blockIOStats(files: CgroupFiles): CgroupStats['blkio'] {
  if (files.text('io.stat') === undefined) return undefined;
  const lines = files.nested('io.stat');
  const entries = (keys: readonly (readonly [string, BlockIOEntry['op']])[]) =>
    lines.flatMap(([device, values]) => {
      const [major = 0, minor = 0] = device.split(':').map(Number);
      return keys.map(([key, op]) => ({ major, minor, op, value: values[key] ?? 0 }));
    });
  return {
    ioServiceBytesRecursive: entries([
      ['rbytes', 'Read'],
      ['wbytes', 'Write'],
      ['dbytes', 'Discard'],
    ]),
    ioServicedRecursive: entries([
      ['rios', 'Read'],
      ['wios', 'Write'],
      ['dios', 'Discard'],
    ]),
    psi: pressure(files, 'io'),
  };
}

function hugepageStats(files: CgroupFiles): CgroupStats['hugetlb'] {
  const sizes = files.names().flatMap((name) => /^hugetlb\.(\d+[KMG]B)\.current$/.exec(name)?.[1] ?? []);
  if (sizes.length === 0) return undefined;
  return Object.fromEntries(
    sizes.map((size) => {
      const usage = files.count(`hugetlb.${size}.current`) ?? 0;
      return [size, { usage, failcnt: files.keyed(`hugetlb.${size}.events`)?.max ?? 0 }];
    }),
  );
}

function pressure(files: CgroupFiles, resource: 'cpu' | 'memory' | 'io'): Pressure | undefined {
  const lines = files.nested(`${resource}.pressure`);
  return lines.length === 0 ? undefined : (Object.fromEntries(lines) as unknown as Pressure);
}
