#!/usr/bin/env node
/**
 * `npm run bench [-- --rounds N] [--json FILE]`: tsrun against crun, runc and the kernel's own floor. Every round runs
 * every runtime once, in turn, each container with an id and a config.json of its own as engines write them; printed
 * are medians and ratios. Run as root; scripts/bench.sh puts it into a mount namespace with a cgroup2 view.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { baselines } from './baselines.mjs';
import { report } from './report.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, json: { type: 'string' } },
});
const work = mkdtempSync(path.join(tmpdir(), 'tsrun-bench-'));
const cgroupRoot = '/sys/fs/cgroup';
const group = `tsrun-bench-${process.pid}`;

/** What is measured: the figure's name, and the commands whose sum it is, made for one container. */
const figures = {
  run: ({ runtime, bundle, id }) => timed([[...runtime, 'run', '--bundle', bundle, id]]),
  'create+start+delete': async ({ runtime, longBundle, id }) => {
    const create = await timed([[...runtime, 'create', '--bundle', longBundle, id]]);
    const state = await timed([[...runtime, 'state', id]]);
    const start = await timed([[...runtime, 'start', id]]);
    const exec = await timed([[...runtime, 'exec', id, '/bin/true']]);
    const kill = await timed([[...runtime, 'kill', id, 'KILL']]);
    await untilStopped(runtime, id);
    const remove = await timed([[...runtime, 'delete', id]]);
    return { ...sum([create, start, remove]), parts: { state, start, exec, kill, delete: remove } };
  },
};

class Timer {
  constructor(binary) {
    this.child = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** @returns milliseconds and KiB of one command; throws when it fails */
  async time(command) {
    this.child.stdin.write(`${command.join('\x1f')}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`cannot start ${command[0]}`);
    const [code, wall, user, system, rss] = value.split(' ').map(Number);
    if (code !== 0) throw new Error(`${command.join(' ')} exited with ${code}`);
    return { wall: wall / 1e6, cpu: (user + system) / 1e3, rss };
  }

  end() {
    this.child.stdin.end();
  }
}

const timer = new Timer(compile('timer'));

async function timed(commands) {
  const parts = [];
  for (const command of commands) parts.push(await timer.time(command));
  return sum(parts);
}

function sum(parts) {
  const total = (name) => parts.reduce((all, part) => all + part[name], 0);
  return { wall: total('wall'), cpu: total('cpu'), rss: Math.max(...parts.map(({ rss }) => rss)) };
}

function compile(name, ...flags) {
  const output = path.join(work, name);
  execFileSync('gcc', ['-O2', '-o', output, ...flags, new URL(`${name}.c`, import.meta.url).pathname]);
  return output;
}

function makeRootfs() {
  const rootfs = path.join(work, 'rootfs');
  for (const directory of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    mkdirSync(path.join(rootfs, directory), { recursive: true });
  execFileSync('cp', ['/bin/busybox', path.join(rootfs, 'bin')]);
  for (const applet of ['true', 'sleep', 'sh'])
    execFileSync('ln', ['-sf', 'busybox', path.join(rootfs, 'bin', applet)]);
  return rootfs;
}

function makeBundle(name, template, rootfs, id, args) {
  const bundle = path.join(work, name);
  mkdirSync(bundle, { recursive: true });
  const spec = structuredClone(template);
  // The crun of Debian 12 refuses newer versions.
  spec.ociVersion = '1.0.2';
  spec.process.args = args;
  spec.process.terminal = false;
  spec.root.path = rootfs;
  spec.annotations = { 'org.example.container': id };
  spec.linux.cgroupsPath = `/${group}/${id}`;
  // crun cannot load a device filter without CAP_SYS_RESOURCE, which this kind of machine lacks; without any rule the
  // runtimes differ in whether they load one.
  delete spec.linux.resources;
  writeFileSync(path.join(bundle, 'config.json'), JSON.stringify(spec, null, 2));
  return bundle;
}

async function untilStopped(runtime, id) {
  for (;;) {
    const { status } = JSON.parse(execFileSync(runtime[0], [...runtime.slice(1), 'state', id], { encoding: 'utf8' }));
    if (status === 'stopped') return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function measure(contestants, rounds, template, rootfs) {
  const samples = {};
  const add = (figure, name, sample) => {
    samples[figure] ??= {};
    samples[figure][name] ??= [];
    samples[figure][name].push(sample);
  };
  const floor = compile('floor', '-static');
  for (let round = 0; round < rounds; round++) {
    add('run', 'floor', await timed([[floor, rootfs, path.join(cgroupRoot, group, `floor${round}`), '/bin/true']]));
    for (const [name, command] of Object.entries(contestants)) {
      const runtime = [...command, '--root', path.join(work, `state-${name}`)];
      for (const [figure, act] of Object.entries(figures)) {
        const id = `b${round}-${figure[0]}-${name}`;
        const bundle = makeBundle('bundle', template, rootfs, id, ['/bin/true']);
        const longBundle = makeBundle('long', template, rootfs, id, ['/bin/sleep', '1000']);
        const { parts = {}, ...whole } = await act({ runtime, bundle, longBundle, id });
        add(figure, name, whole);
        for (const [part, sample] of Object.entries(parts)) add(part, name, sample);
      }
    }
  }
  return samples;
}

try {
  const contestants = baselines();
  mkdirSync(path.join(cgroupRoot, group));
  const template = JSON.parse(
    execFileSync('bash', ['-c', `cd ${work} && ${contestants.tsrun[0]} spec && cat config.json`], { encoding: 'utf8' }),
  );
  const samples = await measure(contestants, Number(options.rounds), template, makeRootfs());
  const text = report(samples, contestants);
  process.stdout.write(text);
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(samples));
} finally {
  timer.end();
  try {
    rmdirSync(path.join(cgroupRoot, group));
  } catch (error) {
    console.error(`left behind: ${error.message}`);
  }
  rmSync(work, { recursive: true, force: true });
}
