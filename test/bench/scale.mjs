/**
 * Many containers at once, one runtime after another: how long the start of one more and `list` take, and how much
 * memory each costs, as their number grows.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { memoryOf } from './memory.mjs';
import { align, medianOf } from './report.mjs';

const steps = 10;
const lists = 5;

/** @returns {Promise<string>} tables for people */
export async function scale({ contestants, bundles, timer, work, containers }) {
  const runs = [];
  for (const [name, command] of Object.entries(contestants)) {
    const runtime = [...command, '--root', path.join(work, `scale-${name}`)];
    runs.push([name, await grow({ runtime, bundles, timer, containers, name })]);
  }
  return [
    table('one more by `run --detach`, median ms, up to', runs, (step) => step.started.toFixed(2)),
    table('`list`, median ms, with', runs, (step) => step.list.toFixed(2)),
    table('`list -q`, median ms, with', runs, (step) => step.quiet.toFixed(2)),
    table('`ps` of one, median ms, with', runs, (step) => step.ps.toFixed(2)),
    table('kernel memory for each, KiB, with', runs, (step) => step.kernel.toFixed(0)),
    table("its process's own memory, KiB, with", runs, (step) => step.own.toFixed(0)),
  ].join('\n');
}

/** @returns the measurements at each step */
async function grow({ runtime, bundles, timer, containers, name }) {
  const seen = [];
  const ids = [];
  const before = kernelMemory();
  try {
    while (ids.length < containers) {
      const times = [];
      for (let count = 0; count < containers / steps; count++) times.push(await startOne(`s${name}-${ids.length}`));
      seen.push({ count: ids.length, started: medianOf(times), ...(await look()) });
    }
  } finally {
    for (const id of ids) execFileSync(runtime[0], [...runtime.slice(1), 'delete', '--force', id]);
  }
  await settled();
  return seen;

  async function startOne(id) {
    const bundle = bundles.make('scale', id, ['/bin/sleep', '100000']);
    ids.push(id);
    return (await timer.time([...runtime, 'run', '--detach', '--bundle', bundle, id])).wall;
  }

  async function look() {
    const timesOf = async (...args) => {
      const times = [];
      for (let count = 0; count < lists; count++) times.push((await timer.time([...runtime, ...args])).wall);
      return medianOf(times);
    };
    const list = await timesOf('list');
    const quiet = await timesOf('list', '-q');
    const ps = await timesOf('ps', ids[0]);
    const { pid } = JSON.parse(execFileSync(runtime[0], [...runtime.slice(1), 'state', ids[0]], { encoding: 'utf8' }));
    return { list, quiet, ps, own: memoryOf(pid).own, kernel: (kernelMemory() - before) / ids.length };
  }
}

/** KiB that the kernel itself uses and cannot reclaim: namespaces, mounts, cgroups, processes. */
function kernelMemory() {
  const info = readFileSync('/proc/meminfo', 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(info)[1]);
  return ['SUnreclaim', 'KernelStack', 'PageTables', 'Percpu'].reduce((sum, name) => sum + field(name), 0);
}

/**
 * The kernel destroys namespaces and cgroups some time after their end; waits for that before the next runtime begins.
 */
async function settled() {
  for (let before = Number.POSITIVE_INFINITY, now = kernelMemory(); before - now > 1024; now = kernelMemory()) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

function table(title, runs, cell) {
  const head = [title, ...runs[0][1].map(({ count }) => String(count))];
  return align([head, ...runs.map(([name, seen]) => [name, ...seen.map(cell)])]);
}
