/** What a cgroup and all below it use now, by the names of the kernel's files, for containerd. */
import { CgroupFiles, type Count } from './files.ts';

type Counts<Keys extends string> = { readonly [Key in Keys]: Count };

/** Absent: the controller is off. `unlimited` in files.ts stands for no limit. Times are in microseconds. */
export interface CgroupMetrics {
  readonly pids?: Counts<'current' | 'limit'>;
  readonly cpu?: Readonly<Record<string, Count>>;
  /** memory.stat, and the counts of other files. */
  readonly memory?: Readonly<Record<string, Count>>;
  readonly memoryEvents?: Readonly<Record<string, Count>>;
  readonly io: readonly (Readonly<Record<string, Count>> & Counts<'major' | 'minor'>)[];
  readonly hugetlb: readonly (Counts<'current' | 'max'> & { readonly pagesize: string })[];
}

export function readMetrics(path: string): CgroupMetrics {
  const files = new CgroupFiles(path);
  const pids = files.count('pids.current');
  const cpu = files.keyed('cpu.stat');
  const memory = memoryOf(files);
  const memoryEvents = files.keyed('memory.events');
  return {
    ...(pids !== undefined && { pids: { current: pids, limit: files.count('pids.max') ?? 0 } }),
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
    ...(memoryEvents !== undefined && { memoryEvents }),
    io: files.nested('io.stat').map(([device, values]) => {
      const [major = 0, minor = 0] = device.split(':').map(Number);
      return { ...values, major, minor };
    }),
    hugetlb: files.names().flatMap((name) => {
      const pagesize = /^hugetlb\.(\d+[KMG]B)\.current$/.exec(name)?.[1];
      if (pagesize === undefined) return [];
      const current = files.count(name) ?? 0;
      return [{ pagesize, current, max: files.count(`hugetlb.${pagesize}.max`) ?? 0 }];
    }),
  };
}

function memoryOf(files: CgroupFiles): Record<string, Count> | undefined {
  const usage = files.count('memory.current');
  if (usage === undefined) return undefined;
  const others = {
    usage_limit: files.count('memory.max'),
    max_usage: files.count('memory.peak'),
    swap_usage: files.count('memory.swap.current'),
    swap_limit: files.count('memory.swap.max'),
    swap_max_usage: files.count('memory.swap.peak'),
  };
  const known = Object.entries(others).filter((entry): entry is [string, Count] => entry[1] !== undefined);
  return { ...files.keyed('memory.stat'), usage, ...Object.fromEntries(known) };
}
