/** Memory of processes, as the kernel accounts it. */
import { readFileSync } from 'node:fs';

/**
 * @returns {{ own: number, resident: number, dirty: number }} KiB: what is this process's alone and no page of a file;
 *   all that it has mapped, of files too; and `own` with its part of what it shares with others and is no file's either
 */
export function memoryOf(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(rollup)[1]);
  return { own: field('Private_Dirty'), resident: field('Rss'), dirty: field('Pss_Dirty') };
}
