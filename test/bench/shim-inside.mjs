/** The part of shim.mjs that runs in the tree; prints the figures as JSON. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { memoryOf } from './memory.mjs';
import { Shim } from './shim-client.mjs';
import { sum, Timer } from './timer.mjs';

const { work, template, timerProgram, rounds, containers, checkout } = JSON.parse(
  readFileSync(process.argv[2], 'utf8'),
);
const image = 'localhost/bench:1';
const shimProgram = `${checkout}/bin/containerd-shim-tsrun-v2`;
/** ctr's flags for each contestant. */
const contestants = {
  tsrun: ['--runtime', 'io.containerd.tsrun.v2'],
  runc: ['--runc-binary', '/usr/sbin/runc'],
  crun: ['--runc-binary', '/usr/bin/crun'],
};
const names = Object.keys(contestants);
const figures = {};
const add = (title, name, value) => {
  figures[title] ??= {};
  figures[title][name] ??= [];
  figures[title][name].push(value);
};
const note = (text) => console.error(`bench: ${text}`);

symlinkSync(shimProgram, '/usr/local/bin/containerd-shim-tsrun-v2');
mkdirSync('/sys/fs/cgroup/bench', { recursive: true });
// For a quick bench: 600 s, unless it is set.
const restSeconds = 20;
const containerd = spawn('containerd', {
  stdio: 'ignore',
  env: { ...process.env, TSRUN_SHIM_REST_SECONDS: String(restSeconds) },
});
await until(() => succeeds('ctr', 'version'));
ctr('image', 'import', path.join(work, 'image.tar'));
const timers = Array.from({ length: 8 }, () => new Timer(timerProgram));
const [timer] = timers;
// One container of each stays: a node has some, and so the resident process is there.
for (const name of names) ctr(...run(name, `stays-${name}`));
await startsByCtr();
await inProcess();
for (const name of names) await remove(`stays-${name}`);
await memory();
for (const each of timers) each.end();
containerd.kill();
process.stdout.write(JSON.stringify(figures));

function ctr(...args) {
  return execFileSync('ctr', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

function succeeds(...[command, ...args]) {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Hybrid hosts have no CPU shares in cgroup2, which ctr asks for. */
function flags(name, id) {
  return [...contestants[name], '--cpu-shares', '0', '--cgroup', `/bench/${id}`];
}

function run(name, id) {
  return ['run', '--detach', ...flags(name, id), image, id, '/bin/sleep', '1000'];
}

async function remove(id) {
  ctr('task', 'kill', '--signal', 'KILL', id);
  await until(() => ctr('task', 'ls').includes('STOPPED'));
  succeeds('ctr', 'task', 'delete', id);
  ctr('container', 'delete', id);
}

async function startsByCtr() {
  note('ctr run -d');
  const warm = 2;
  for (let round = -warm; round < rounds; round++) {
    for (const name of names) {
      const id = `r${round + warm}-${name}`;
      const started = await timer.time(['ctr', ...run(name, id)]);
      await remove(id);
      const created = await timer.time(['ctr', 'container', 'create', ...contestants[name], image, id, '/bin/true']);
      ctr('container', 'delete', id);
      if (round < 0) continue;
      add('ctr run -d', name, started.wall);
      add('ctr container create', name, created.wall);
    }
  }
}

/** The shim asked as containerd asks it, against crun's and runc's commands. */
async function inProcess() {
  note('in process');
  const shim = await Shim.start(shimProgram, bundleOf('start'));
  const bundle = bundleOf('exec', ['/bin/sleep', '1000']);
  await shim.call('Create', { id: 'exec', bundle });
  await shim.call('Start', { id: 'exec' });
  const commands = (name) => [`/usr/${name === 'runc' ? 'sbin' : 'bin'}/${name}`, '--root', `/run/bench-${name}`];
  for (const name of ['runc', 'crun']) {
    execFileSync('sh', [
      '-c',
      `"$@" run -d -b ${bundleOf(`exec-${name}`, ['/bin/sleep', '1000'])} exec >/dev/null 2>&1`,
      'sh',
      ...commands(name),
    ]);
  }
  // A node's shim has had many: as the library's benchmark does.
  for (let warm = 0; warm < 50; warm++) {
    await life(shim, `warm${warm}`);
    await execOf(shim, `warm${warm}`);
  }
  for (let round = 0; round < rounds; round++) {
    add('in process: create + start + delete', 'tsrun', await life(shim, `l${round}`));
    add('in process: exec of /bin/true', 'tsrun', await execOf(shim, `e${round}`));
    const eight = Array.from({ length: 8 }, (_, number) => `m${round}-${number}`);
    const before = performance.now();
    await Promise.all(eight.map((id) => shim.call('Create', { id, bundle: bundleOf(id) })));
    add('create of 8 at once, for each', 'tsrun', (performance.now() - before) / 8);
    for (const id of eight) await shim.call('Delete', { id });
    for (const name of ['runc', 'crun']) {
      const parts = [];
      const id = `${name}${round}`;
      const directory = bundleOf(id);
      for (const args of [
        ['create', '--bundle', directory, id],
        ['start', id],
        ['delete', '--force', id],
      ])
        parts.push(await timer.time([...commands(name), ...args]));
      add('in process: create + start + delete', name, sum(parts).wall);
      const process = ['exec', '--process', `${bundle}/process.json`, 'exec'];
      add('in process: exec of /bin/true', name, (await timer.time([...commands(name), ...process])).wall);
      for (const each of eight) bundleOf(each);
      const begun = performance.now();
      await Promise.all(
        eight.map((each, at) => timers[at].time([...commands(name), 'create', '--bundle', `${work}/in/${each}`, each])),
      );
      add('create of 8 at once, for each', name, (performance.now() - begun) / 8);
      for (const each of eight)
        execFileSync(commands(name)[0], [...commands(name).slice(1), 'delete', '--force', each]);
    }
  }
  await shim.call('Kill', { id: 'exec', signal: 9 });
  await shim.call('Wait', { id: 'exec' });
  await shim.call('Delete', { id: 'exec' });
  for (const name of ['runc', 'crun'])
    execFileSync(commands(name)[0], [...commands(name).slice(1), 'delete', '--force', 'exec']);
  shim.end();
}

async function life(shim, id) {
  const bundle = bundleOf(id);
  const begun = performance.now();
  await shim.call('Create', { id, bundle });
  await shim.call('Start', { id });
  await shim.call('Wait', { id });
  await shim.call('Delete', { id });
  return performance.now() - begun;
}

async function execOf(shim, exec_id) {
  const spec = { value: readFileSync(`${work}/in/exec/process.json`) };
  const begun = performance.now();
  await shim.call('Exec', { id: 'exec', exec_id, spec });
  await shim.call('Start', { id: 'exec', exec_id });
  await shim.call('Wait', { id: 'exec', exec_id });
  await shim.call('Delete', { id: 'exec', exec_id });
  return performance.now() - begun;
}

function bundleOf(id, args = ['/bin/true']) {
  const directory = path.join(work, 'in', id);
  mkdirSync(directory, { recursive: true });
  const spec = structuredClone(template);
  spec.process.args = args;
  spec.linux.cgroupsPath = `/bench/in-${id}`;
  spec.root.path = path.join(work, 'rootfs');
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(spec, null, 2));
  writeFileSync(path.join(directory, 'process.json'), JSON.stringify({ ...spec.process, args: ['/bin/true'] }));
  return directory;
}

/** All shims of this many live containers. */
async function memory() {
  for (const name of names) {
    note(`memory of ${containers} containers on ${name}`);
    await until(() => shims().length === 0);
    for (let number = 0; number < containers; number++) ctr(...run(name, `m${number}`));
    // The resident shim gives memory back when it has had nothing to do for 5 s.
    await new Promise((resolve) => setTimeout(resolve, 8000));
    add('private memory of all shims', name, totalOf('own'));
    add('the same with its part of shared pages', name, totalOf('dirty'));
    add('processes', name, shims().length);
    // V8 gives back what its last thread had 8 s after that has ended.
    if (name === 'tsrun') await new Promise((resolve) => setTimeout(resolve, restSeconds * 1000 + 10_000));
    add('private memory of all shims, at rest', name, totalOf('own'));
    for (const id of ctr('task', 'ls', '--quiet').split('\n').filter(Boolean)) {
      ctr('task', 'kill', '--signal', 'KILL', id);
    }
    await until(() => !ctr('task', 'ls').includes('RUNNING'));
    for (let number = 0; number < containers; number++) {
      succeeds('ctr', 'task', 'delete', `m${number}`);
      ctr('container', 'delete', `m${number}`);
    }
  }
  rmSync(path.join(work, 'in'), { recursive: true });
}

function totalOf(field) {
  return shims().reduce((before, pid) => before + memoryOf(pid)[field], 0);
}

function shims() {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      return (
        /containerd-shim-runc-v2$|tsrun-shim-keeper$/.test(line[0]) ||
        line.some((word) => /\/shim-engine\.mjs$/.test(word))
      );
    } catch {
      return false;
    }
  });
}
