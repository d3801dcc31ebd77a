/** The built library (build/library.mjs), and what its tests share. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as Library from '../../src/library/index.ts';
import { repoRoot } from './host.ts';
import type { Sandbox } from './sandbox.ts';

export const library: typeof Library = await import(join(repoRoot, 'build/library.mjs'));
export type { Library };

/** Options of spawn and run in a test: state directory, root filesystem, id and cgroup. */
export function placeOf(box: Sandbox): { root: string; rootfs: string; id: string; cgroup: string } {
  const id = box.newId();
  return { root: box.root, rootfs: box.bundle().rootfs, id, cgroup: `${box.cgroup}/${id}` };
}

/** The numbers of this process’s open descriptors, as text. */
export function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').sort();
}

/** Children of this process that have ended and were not reaped. */
export function zombies(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const [, state, parent] = /^\d+ \(.*\) (\S) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
        return state === 'Z' && Number(parent) === process.pid;
      } catch {
        return false;
      }
    });
}
