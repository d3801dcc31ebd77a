/**
 * The regression check of CI: ratios against crun with wide margins, since the machine is shared with others. It finds a
 * sleep, an engine that starts slowly, and memory that a container would keep.
 */
import { medianOf } from './report.mjs';

/** By how much of crun's time a figure may take. Each is about twice what was measured when it was written down. */
const times = {
  run: 2.5,
  'create+start+delete': 2.5,
  exec: 2.5,
  state: 2,
  start: 2.5,
  kill: 2,
  delete: 2.5,
};

/** KiB at most, whatever crun takes. */
const memory = {
  "created container's private memory": 300,
  "waiting foreground run's own memory": 2048,
};

/** @returns {number} the exit code; says on stderr what is over its bound */
export function check(samples) {
  const over = [
    ...Object.entries(times).map(([figure, bound]) => {
      const ratio = medianOf(samples[figure].tsrun.map(wall)) / medianOf(samples[figure].crun.map(wall));
      return ratio > bound && `${figure} takes ${ratio.toFixed(2)} times as long as crun; the bound is ${bound}`;
    }),
    ...Object.entries(memory).map(([figure, bound]) => {
      const size = medianOf(samples[figure].tsrun.map((sample) => sample.memory));
      return size > bound && `${figure} is ${size} KiB; the bound is ${bound}`;
    }),
  ].filter(Boolean);
  for (const line of over) console.error(`bench: ${line}`);
  return over.length === 0 ? 0 : 1;
}

const wall = (sample) => sample.wall;
