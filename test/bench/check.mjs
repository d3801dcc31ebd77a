/**
 * CI's check for regressions: ratios to crun with wide margins, because the machine is shared. It finds a sleep, an
 * engine that starts slowly, and memory that a container keeps. Page faults and instructions are the same on a busy
 * machine, so they find small regressions.
 */
import { medianOf } from './report.mjs';

/** How many times crun's time a figure may take: about twice what was measured when this was written. */
const times = {
  run: 2.5,
  'create+start+delete': 2.5,
  exec: 2.5,
  state: 2,
  start: 2.5,
  kill: 2,
  delete: 2.5,
};

/** At most so many KiB, whatever crun takes. */
const memory = {
  "created container's private memory": 300,
  "waiting foreground run's own memory": 2048,
};

/**
 * Bounds of figures that do not depend on how busy the machine is: about 10 % above what was measured when this was
 * written.
 *
 * @type {Record<string, { figure: string, field: string, most: number }>}
 */
const counts = {
  'page faults of a run': { figure: 'run', field: 'faults', most: 300 },
  'user instructions of a plan': { figure: 'plan, user instructions', field: 'count', most: 4_900_000 },
};

/**
 * How often everything is measured before a figure counts as over its bound: a burst of other work does not come each
 * time.
 */
const attempts = 4;

/**
 * @param {() => Promise<object>} measure returns new samples each time
 * @returns {Promise<number>} the exit code; prints to stderr what is over its bound
 */
export async function check(measure) {
  let over = overBounds(await measure());
  for (let attempt = 2; attempt <= attempts && over.size > 0; attempt++) {
    for (const text of over.values()) console.error(`bench: ${text}; measuring again`);
    const again = overBounds(await measure());
    over = new Map([...again].filter(([figure]) => over.has(figure)));
  }
  for (const text of over.values()) console.error(`bench: ${text}, ${attempts} times`);
  return over.size === 0 ? 0 : 1;
}

/** @returns {Map<string, string>} the figures that are over their bounds, with a message for each */
function overBounds(samples) {
  const over = new Map();
  for (const [figure, bound] of Object.entries(times)) {
    const ratio = medianOf(samples[figure].tsrun.map(wall)) / medianOf(samples[figure].crun.map(wall));
    const text = `${figure} takes ${ratio.toFixed(2)} times as long as crun; the bound is ${bound}`;
    if (ratio > bound) over.set(figure, text);
  }
  for (const [figure, bound] of Object.entries(memory)) {
    const size = medianOf(samples[figure].tsrun.map((sample) => sample.memory));
    if (size > bound) over.set(figure, `${figure} is ${size} KiB; the bound is ${bound}`);
  }
  for (const [what, { figure, field, most }] of Object.entries(counts)) {
    // Without valgrind there are no counts.
    if (samples[figure] === undefined) continue;
    const count = medianOf(samples[figure].tsrun.map((sample) => sample[field]));
    if (count > most) over.set(what, `${what}: ${count}; the bound is ${most}`);
  }
  return over;
}

const wall = (sample) => sample.wall;
