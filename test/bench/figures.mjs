/** What is measured, each a function of one contestant's turn in one round: figure -> sample. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { seccompProfile } from './bundles.mjs';
import { sum } from './timer.mjs';

const parallelCreates = 16;
const parallelJobs = 8;

/** `run` of a program that does nothing. */
export async function run({ timer, runtime, bundles, id }) {
  const bundle = bundles.make('bundle', id, ['/bin/true']);
  return { run: await timer.time([...runtime, 'run', '--bundle', bundle, id]) };
}

/** The same with a large seccomp profile; whoever keeps compiled filters has it after the first round. */
export async function runWithSeccomp({ timer, runtime, bundles, id }) {
  const bundle = bundles.make('bundle', id, ['/bin/true'], (spec) => {
    spec.linux.seccomp = seccompProfile;
  });
  return { 'run, seccomp profile': await timer.time([...runtime, 'run', '--bundle', bundle, id]) };
}

/** A container's life, command by command. */
export async function lifecycle({ timer, runtime, bundles, id }) {
  const bundle = bundles.make('bundle', id, ['/bin/sleep', '1000']);
  const time = (...args) => timer.time([...runtime, ...args]);
  const create = await time('create', '--bundle', bundle, id);
  const memory = privateMemory(runtime, id);
  const state = await time('state', id);
  const start = await time('start', id);
  const exec = await time('exec', id, '/bin/true');
  const kill = await time('kill', id, 'KILL');
  await untilStopped(runtime, id);
  const remove = await time('delete', id);
  return {
    create,
    'create+start+delete': sum([create, start, remove]),
    exec,
    state,
    start,
    kill,
    delete: remove,
    "created container's private memory": { memory },
  };
}

/** Many at a time: milliseconds for each. */
export async function parallel({ timers, runtime, bundles, id }) {
  const ids = Array.from({ length: parallelCreates }, (_, number) => `${id}-${number}`);
  const work = ids.map((one) => [
    ...runtime,
    'create',
    '--bundle',
    bundles.make(one, one, ['/bin/sleep', '1000']),
    one,
  ]);
  const started = process.hrtime.bigint();
  const worker = async (timer) => {
    for (let command = work.shift(); command !== undefined; command = work.shift()) await timer.time(command);
  };
  await Promise.all(timers.slice(0, parallelJobs).map(worker));
  const wall = Number(process.hrtime.bigint() - started) / 1e6 / parallelCreates;
  for (const one of ids) execFileSync(runtime[0], [...runtime.slice(1), 'delete', '--force', one]);
  return { [`${parallelJobs} creates at a time, per container`]: { wall } };
}

/** KiB that the container's first process alone has. */
function privateMemory(runtime, id) {
  const { pid } = stateOf(runtime, id);
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...rollup.matchAll(/^Private_\w+:\s*(\d+) kB$/gm)].reduce((all, [, size]) => all + Number(size), 0);
}

function stateOf(runtime, id) {
  return JSON.parse(execFileSync(runtime[0], [...runtime.slice(1), 'state', id], { encoding: 'utf8' }));
}

async function untilStopped(runtime, id) {
  while (stateOf(runtime, id).status !== 'stopped') await new Promise((resolve) => setTimeout(resolve, 2));
}
