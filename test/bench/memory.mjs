/** Memory of processes, as the kernel accounts it. */
import { readFileSync } from 'node:fs';

/**
 * @returns {{ own: number, resident: number, dirty: number }} KiB: memory of this process alone that is not a page of a
 * file;
 *   all that it has mapped, including files; and `own` plus its part of shared memory that is not a file's either
 */
export function memoryOf(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(rollup)[1]);
  return { own: field('Private_Dirty'), resident: field('Rss'), dirty: field('Pss_Dirty') };
}
