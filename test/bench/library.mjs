/** The library in one warm process compared with crun's commands: both in turn in each round. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { medianOf } from './report.mjs';
import { pause, sum } from './timer.mjs';

const file = inRoot('build/library.mjs');
const atOnce = [8, 16];
const liveContainers = 100;
const warmRounds = 2;
/** A process is warm when V8 has compiled what it runs often: its figure halves over the first lives, and then stays. */
const warmLives = 50;
const memoryRounds = 5;

/** @returns {Promise<string>} the results for people */
export async function library({ crun, bundles, timers, state, rounds }) {
  const { create } = await import(file);
  const root = path.join(state, 'library');
  const make = (id, args) => create({ root, id, stdio: 'ignore', bundle: bundles.make(id, id, args) });
  const ours = async (id) => {
    const bundle = bundles.make(id, id, ['/bin/true']);
    const begun = performance.now();
    const container = await create({ root, id, bundle, stdio: 'ignore' });
    await container.start();
    await container.wait();
    await container.delete();
    return performance.now() - begun;
  };
  const theirs = async (id, timer) => {
    const bundle = bundles.make(id, id, ['/bin/true']);
    const command = [...crun, '--root', path.join(state, 'crun')];
    const time = (...args) => timer.time([...command, ...args]);
    const parts = [await time('create', '--bundle', bundle, id), await time('start', id)];
    return sum([...parts, await time('delete', '--force', id)]).wall;
  };
  for (let warm = 0; warm < warmLives; warm++) await ours(`warm${warm}`);
  const lines = [await lives(rounds, ours, (id) => theirs(id, timers[0]))];
  for (const many of atOnce) lines.push(await livesAtOnce(many, rounds, ours, theirs, timers));
  return `${[...lines, await eventLoop(make), await memory(make), imports(rounds)].join('\n')}\n`;
}

async function lives(rounds, ours, theirs) {
  const samples = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    await sleep(pause);
    samples.ours.push(await ours(`l${round}`));
    await sleep(pause);
    samples.theirs.push(await theirs(`c${round}`));
  }
  return compared('create + start + wait + delete', samples);
}

/** Milliseconds of wall time per container. */
async function livesAtOnce(many, rounds, ours, theirs, timers) {
  const samples = { ours: [], theirs: [] };
  const wall = async (one) => {
    await sleep(pause * many);
    const begun = performance.now();
    await Promise.all(Array.from({ length: many }, (_, number) => one(number)));
    return (performance.now() - begun) / many;
  };
  for (let round = 0; round < rounds; round++) {
    samples.ours.push(await wall((number) => ours(`l${many}-${round}-${number}`)));
    samples.theirs.push(await wall((number) => theirs(`c${many}-${round}-${number}`, timers[number])));
  }
  return compared(`${many} at a time, for each`, samples);
}

function compared(what, { ours, theirs }) {
  const [own, other] = [medianOf(ours), medianOf(theirs)];
  return `${what}: ${own.toFixed(2)} ms, crun's three commands ${other.toFixed(2)} ms, ratio ${(own / other).toFixed(2)}`;
}

async function eventLoop(make) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const all = await Promise.all(Array.from({ length: 8 }, (_, number) => make(`e${number}`, ['/bin/sleep', '1000'])));
  delay.disable();
  for (const each of all) await each.delete({ force: true });
  const [most, median] = [delay.max, delay.percentile(50)].map((nanoseconds) => (nanoseconds / 1e6).toFixed(2));
  return `event loop delay under 8 creates at once: at most ${most} ms, median ${median} ms (1 ms is the timer's own)`;
}

/**
 * What the process's own memory grows by for each of many containers that are alive: what it keeps for them, and what
 * the heaps of its threads have not dropped yet. The first rounds are left out, in which these heaps reach their size.
 */
async function memory(make) {
  const own = () => Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  const rounds = [];
  for (let round = 0; round < warmRounds + memoryRounds; round++) {
    const before = own();
    const all = [];
    for (let number = 0; number < liveContainers; number++) all.push(await make(`m${number}`, ['/bin/sleep', '1000']));
    if (round >= warmRounds) rounds.push((own() - before) / liveContainers);
    for (const each of all) await each.delete({ force: true });
  }
  const [middle, most] = [medianOf(rounds), Math.max(...rounds)].map((each) => each.toFixed(1));
  return `memory of the process for each of ${liveContainers} live containers: ${middle} KiB, at most ${most} (of ${memoryRounds} rounds); all of it: ${(own() / 1024).toFixed(0)} MiB`;
}

function imports(rounds) {
  const program = `const begun = performance.now(); await import(${JSON.stringify(file)});
    console.log(performance.now() - begun);`;
  const one = () => Number(execFileSync(process.execPath, ['--input-type=module', '--eval', program]));
  return `import: ${medianOf(Array.from({ length: Math.min(rounds, 20) }, one)).toFixed(1)} ms`;
}
