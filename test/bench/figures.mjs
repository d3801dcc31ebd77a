/** The measurements. Each is a function for one contestant's turn in one round, and returns figure -> sample. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { memoryOf } from './memory.mjs';
import { sum } from './timer.mjs';

const parallelCreates = 100;
const parallelJobs = 8;

/** `run` of a program that does nothing. */
export async function run({ timer, runtime, bundles, id }) {
  const bundle = bundles.make('bundle', id, ['/bin/true']);
  return { run: await timer.time([...runtime, 'run', '--bundle', bundle, id]) };
}

/** A container's life, command by command. */
export async function lifecycle({ timer, runtime, bundles, id }) {
  const bundle = bundles.make('bundle', id, ['/bin/sleep', '1000']);
  const time = (...args) => timer.time([...runtime, ...args]);
  const create = await time('create', '--bundle', bundle, id);
  const memory = memoryOf(stateOf(runtime, id).pid).own;
  const state = await time('state', id);
  const start = await time('start', id);
  const exec = await time('exec', id, '/bin/true');
  const kill = await time('kill', id, 'KILL');
  await until(() => isStatus(runtime, id, 'stopped'));
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

/** Memory of a `run` while its container lives. */
export async function foreground({ runtime, bundles, id }) {
  const bundle = bundles.make('bundle', id, ['/bin/sleep', '1000']);
  const [file, ...args] = runtime;
  const child = spawn(file, [...args, 'run', '--bundle', bundle, id], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await until(() => isStatus(runtime, id, 'running'));
  await until(isIdle(child.pid), 20);
  const { own, resident } = memoryOf(child.pid);
  execFileSync(file, [...args, 'kill', id, 'KILL']);
  await ended;
  return {
    "waiting foreground run's own memory": { memory: own },
    "waiting foreground run's resident memory, with the pages of files": { memory: resident },
  };
}

/** Many at a time: milliseconds per container. */
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

function stateOf(runtime, id) {
  return JSON.parse(execFileSync(runtime[0], [...runtime.slice(1), 'state', id], { encoding: 'utf8', stdio: 'pipe' }));
}

function isStatus(runtime, id, wanted) {
  try {
    return stateOf(runtime, id).status === wanted;
  } catch {
    return false; // does not exist yet
  }
}

/** Whether it waits: the only sign is that it sleeps, and has not run since the last look. */
function isIdle(pid) {
  let before;
  return () => {
    const isAsleep = /^State:\s*S/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    const [nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    const isSame = isAsleep && nanoseconds === before;
    before = nanoseconds;
    return isSame;
  };
}

async function until(condition, pause = 2) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, pause));
}
