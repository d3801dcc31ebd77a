#!/usr/bin/env node
/**
 * A live top of all containers, whoever has made them: state, processes, memory, CPU. Every second; with --once a single time.
 *
 *     node examples/top.mjs [--once] [ROOT]
 */
import { list, open } from 'tsrun';

const once = process.argv.includes('--once');
const [root] = process.argv.slice(2).filter((each) => each !== '--once');
const everyMs = 1000;
/** CPU nanoseconds by id, and when they were read. */
let before = new Map();

do {
  const [rows, now] = await look();
  if (process.stdout.isTTY) process.stdout.write('\x1b[H\x1b[J');
  console.log(
    ['ID'.padEnd(32), 'STATUS'.padEnd(8), 'PROCS'.padStart(6), 'MEMORY'.padStart(10), 'CPU %'.padStart(7)].join(' '),
  );
  for (const row of rows) console.log(row);
  before = now;
  if (!once) await new Promise((done) => setTimeout(done, everyMs));
} while (!once);

async function look() {
  const now = new Map();
  const states = await list({ root });
  const rows = await Promise.all(
    states.map(async ({ id, status }) => {
      const { processes, memory, cpu } = status === 'stopped' ? {} : await usage(id);
      const time = performance.now();
      if (cpu !== undefined) now.set(id, { cpu, time });
      const last = before.get(id);
      const share =
        cpu === undefined || last === undefined ? '-' : ((cpu - last.cpu) / (time - last.time) / 10_000).toFixed(1);
      return [
        id.padEnd(32),
        status.padEnd(8),
        String(processes ?? '-').padStart(6),
        (memory === undefined ? '-' : `${(memory / 1024 / 1024).toFixed(1)}M`).padStart(10),
        share.padStart(7),
      ].join(' ');
    }),
  );
  return [rows, now];
}

/** Nothing of what cannot be had: it may be gone by now, and a host need not have all controllers. */
async function usage(id) {
  try {
    const container = await open(id, { root });
    const [pids, stats] = await Promise.all([container.ps(), container.stats().catch(() => undefined)]);
    return {
      processes: pids.length,
      memory: number(stats?.memory?.usage?.usage),
      cpu: number(stats?.cpu?.usage?.total),
    };
  } catch {
    return {};
  }
}

/** Large counts may be bigints. */
function number(count) {
  return count === undefined ? undefined : Number(count);
}
