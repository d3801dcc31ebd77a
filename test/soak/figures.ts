/** What the kernel holds that a container may leave behind. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cHelper } from '../harness/c-helper.ts';
import { cgroup2Mount } from '../harness/host.ts';
import type { Sandbox } from '../harness/sandbox.ts';

export interface Figures {
  /** Open files of the whole system (/proc/sys/fs/file-nr). */
  descriptors: number;
  /** Cgroups below the sandbox's, including removed ones that something still holds (cgroup.stat). */
  cgroups: number;
  /** Mounts in the caller's mount namespace. */
  mounts: number;
  /** Session keyrings of the sandbox's containers (/proc/keys). */
  keys: number;
  /** Device programs of the whole system. */
  bpfPrograms: number;
  /** Records in the runtime's --root. */
  records: number;
  /** KiB: slabs that cannot be reclaimed, stacks, page tables, per-CPU memory (/proc/meminfo). */
  kernelMemory: number;
}

export function figures(box: Sandbox): Figures {
  return {
    descriptors: Number(readFileSync('/proc/sys/fs/file-nr', 'utf8').split('\t')[0]),
    cgroups: cgroupsOf(box),
    mounts: lines('/proc/self/mountinfo').length,
    keys: lines('/proc/keys').filter((line) => line.includes(box.cgroup.slice(1))).length,
    bpfPrograms: Number(execFileSync(cHelper('bpf-programs'), { encoding: 'utf8' })),
    records: readdirSync(box.root).filter((name) => !name.startsWith('.')).length,
    kernelMemory: kernelMemory(),
  };
}

function cgroupsOf(box: Sandbox): number {
  const stat = join(cgroup2Mount() ?? '', box.cgroup, 'cgroup.stat');
  if (!existsSync(stat)) return 0;
  return [...readFileSync(stat, 'utf8').matchAll(/^nr_(?:dying_)?descendants (\d+)/gm)]
    .map(([, count]) => Number(count))
    .reduce((a, b) => a + b, 0);
}

function kernelMemory(): number {
  const wanted = new Set(['SUnreclaim', 'KernelStack', 'PageTables', 'Percpu']);
  return lines('/proc/meminfo')
    .map((line) => line.split(/:?\s+/))
    .filter(([name = '']) => wanted.has(name))
    .reduce((sum, [, value]) => sum + Number(value), 0);
}

function lines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean);
}

/**
 * What has grown by more than other programs of the machine account for, as sentences. With 20,000 containers it finds
 * if one in forty leaves a descriptor, or one in a thousand a program; of memory, 4 KiB for each, or more for fewer.
 */
export function grown(before: Figures, after: Figures, containers: number): string[] {
  const allowed: Figures = {
    descriptors: 500,
    cgroups: 0,
    mounts: 0,
    keys: 0,
    bpfPrograms: 20,
    records: 0,
    kernelMemory: Math.max(64 << 10, containers * 4),
  };
  const names = Object.keys(allowed) as (keyof Figures)[];
  return names
    .filter((name) => after[name] - before[name] > allowed[name])
    .map((name) => `${name}: ${before[name]} before, ${after[name]} after`);
}
