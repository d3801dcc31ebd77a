#!/usr/bin/env node
/**
 * `npm run bench [-- --rounds N] [--json FILE] [--markdown] [--against BUILD]`: tsrun against crun, runc and the
 * kernel's own floor. Every round measures each figure with every runtime once, in random order; each container has an
 * id and a config.json of its own. Prints medians and ratios, with `--markdown` as the table of docs/performance.md.
 * `--against` adds another build of tsrun: the last release's executable, or a commit to build. With `--check` it exits
 * with 1 if tsrun has become much slower than crun. `--checkpoint` compares checkpoint and restore in the test VM, or with
 * `--native` on this machine. `--scale [--containers N]`, `--machines`, `--library`, `--steps` and `--shim [--containers N]`
 * measure many containers at once, virtual machines, the library, the instructions of whole commands (`--only exec,state`:
 * of these commands), and the resident shim instead. Run as root; scripts/bench.sh puts it into a mount namespace with a
 * cgroup2 view.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { alive } from './alive.mjs';
import { baselines } from './baselines.mjs';
import { Bundles, makeRootfs, readTemplate } from './bundles.mjs';
import { check } from './check.mjs';
import { checkpoints } from './checkpoint.mjs';
import { hasValgrind, planInstructions } from './counts.mjs';
import { foreground, lifecycle, parallel, run } from './figures.mjs';
import { withHostMounts } from './host-mounts.mjs';
import { library } from './library.mjs';
import { machines } from './machines.mjs';
import { report } from './report.mjs';
import { scale } from './scale.mjs';
import { runsOfShapes } from './shapes.mjs';
import { shim } from './shim.mjs';
import { commandsOf, steps } from './steps.mjs';
import { compile, pause, realTime, Timer } from './timer.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    json: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    against: { type: 'string' },
    check: { type: 'boolean', default: false },
    scale: { type: 'boolean', default: false },
    containers: { type: 'string' },
    machines: { type: 'boolean', default: false },
    library: { type: 'boolean', default: false },
    steps: { type: 'boolean', default: false },
    checkpoint: { type: 'boolean', default: false },
    native: { type: 'boolean', default: false },
    only: { type: 'string' },
    shim: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const parallelRounds = 5;
/** Figures that --check measures. */
const checked = [run, runsOfShapes[0], lifecycle, foreground];
const work = mkdtempSync(path.join(tmpdir(), 'tsrun-bench-'));
/** For the runtimes' state: its default place, /run, is a tmpfs on every machine with systemd. */
const state = path.join(work, 'run');
const cgroup = `tsrun-bench-${process.pid}`;
const cgroupDirectory = `/sys/fs/cgroup/${cgroup}`;
const timerProgram = compile(work, 'timer');
const priority = realTime();
const timer = new Timer(timerProgram, priority);
/** For many at a time: real-time priority would run them one after another. */
const timers = Array.from({ length: 16 }, () => new Timer(timerProgram));

try {
  mkdirSync(cgroupDirectory);
  mkdirSync(state);
  execFileSync('mount', ['-t', 'tmpfs', 'tsrun-bench', state]);
  const { native } = options;
  if (options.checkpoint) process.stdout.write(await checkpoints({ work, cgroupDirectory, rounds, native }));
  else await main(await baselines(work, options.against));
} catch (error) {
  // Without Debian's crun there is nothing to compare with.
  if (!options.check || error.name !== 'VmError') throw error;
  console.error(`bench: skipped: ${error.message}`);
} finally {
  for (const each of [timer, ...timers]) each.end();
  try {
    execFileSync('umount', [state]);
    rmdirSync(cgroupDirectory);
  } catch (error) {
    console.error(`left behind: ${error.message}`);
  }
  rmSync(work, { recursive: true, force: true });
}

async function main({ 'tsrun-on-node': onNode, ...native }) {
  const bundles = new Bundles({
    work,
    cgroup,
    template: readTemplate(work, native.tsrun[0]),
    rootfs: makeRootfs(work),
  });
  if (options.machines) {
    const runtime = [...native.tsrun, '--root', path.join(state, 'tsrun')];
    process.stdout.write(await machines({ runtime, bundles, work, rounds }));
  } else if (options.library) {
    process.stdout.write(await library({ crun: native.crun, bundles, timers, state, rounds }));
  } else if (options.shim) {
    const rootfs = path.join(work, 'rootfs');
    const containers = Number(options.containers ?? 100);
    process.stdout.write(await shim({ work, cgroupDirectory, rootfs, bundles, timerProgram, rounds, containers }));
  } else if (options.steps) {
    const contestants = { ...ours(native), crun: native.crun };
    process.stdout.write(steps({ contestants, bundles, state, work, only: commandsOf(options.only) }));
  } else if (options.scale) {
    const containers = Number(options.containers ?? 1000);
    process.stdout.write(await scale({ contestants: native, bundles, timer, work, containers }));
  } else if (options.check) {
    const { tsrun, crun } = native;
    process.exitCode = await check(async () => {
      const samples = await measure({ tsrun, crun }, bundles, checked);
      if (hasValgrind()) countInstructions(samples, { tsrun }, bundles);
      process.stdout.write(report(samples, { tsrun, crun }));
      return samples;
    });
  } else {
    const contestants = { ...native, 'tsrun-on-node': onNode };
    console.error(`bench: ${priority.length > 0 ? 'at real-time priority' : 'without real-time priority'}`);
    const figures = [run, ...runsOfShapes, lifecycle, foreground, parallel];
    const samples = await measure(contestants, bundles, figures);
    console.error('bench: with 2,000 mounts on the host');
    const crowded = await withHostMounts(work, () => measure(contestants, bundles, [run]));
    samples['run, with 2,000 mounts on the host'] = crowded.run;
    console.error('bench: with 1,000 containers alive');
    Object.assign(samples, await alive({ contestants: native, state, bundles, timer }));
    if (hasValgrind()) countInstructions(samples, ours(contestants), bundles);
    process.stdout.write(report(samples, contestants, options.markdown));
    if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(samples));
  }
}

/** The builds of tsrun that are one executable. */
function ours({ tsrun, 'tsrun-before': before }) {
  return { tsrun, ...(before && { 'tsrun-before': before }) };
}

function countInstructions(samples, contestants, bundles) {
  const bundle = bundles.make('counted', 'counted', ['/bin/true']);
  samples['plan, user instructions'] = Object.fromEntries(
    Object.entries(contestants).map(([name, command]) => [name, [{ count: planInstructions(command, bundle) }]]),
  );
}

/** Each takes its turn after every other one: what a command finds in the caches depends on the one before it. */
function shuffled(all) {
  const rest = [...all];
  return Array.from(all, () => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]);
}

/** @returns figure -> contestant -> samples */
async function measure(contestants, bundles, figures) {
  const samples = {};
  const add = (name, measured) => {
    for (const [figure, sample] of Object.entries(measured)) {
      samples[figure] ??= {};
      samples[figure][name] ??= [];
      samples[figure][name].push(sample);
    }
  };
  const floor = compile(work, 'floor', '-static');
  for (let round = 0; round < rounds; round++) {
    if (!options.check) console.error(`bench: round ${round + 1} of ${rounds}`);
    const ownGroup = path.join(cgroupDirectory, `floor${round}`);
    add('floor', { run: await timer.time([floor, bundles.rootfs, ownGroup, '/bin/true']) });
    for (const [number, figure] of figures.entries()) {
      for (const [name, command] of shuffled(Object.entries(contestants))) {
        // These are hundreds of commands, and Node takes ten times as long as the others.
        if (figure === parallel && (round >= parallelRounds || name === 'tsrun-on-node')) continue;
        const runtime = [...command, '--root', path.join(state, name)];
        const id = `b${round}-${number}-${name}`;
        await sleep(pause);
        add(name, await figure({ timer, timers, runtime, bundles, id }));
      }
    }
  }
  return samples;
}
