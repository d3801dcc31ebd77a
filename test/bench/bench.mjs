#!/usr/bin/env node
/**
 * `npm run bench [-- --rounds N] [--json FILE]`: tsrun against crun, runc and the kernel's own floor. Every round runs
 * every runtime once, in turn, each container with an id and a config.json of its own; printed are medians and ratios.
 * Run as root; scripts/bench.sh puts it into a mount namespace with a cgroup2 view.
 */
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { baselines } from './baselines.mjs';
import { Bundles, makeRootfs, readTemplate } from './bundles.mjs';
import { lifecycle, parallel, run, runWithSeccomp } from './figures.mjs';
import { report } from './report.mjs';
import { compile, Timer } from './timer.mjs';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '40' }, json: { type: 'string' } },
});
const work = mkdtempSync(path.join(tmpdir(), 'tsrun-bench-'));
const cgroup = `tsrun-bench-${process.pid}`;
const cgroupDirectory = `/sys/fs/cgroup/${cgroup}`;
const timers = Array.from({ length: 8 }, () => new Timer(compile(work, 'timer')));

try {
  mkdirSync(cgroupDirectory);
  const contestants = await baselines(work);
  const samples = await measure(contestants, Number(options.rounds));
  process.stdout.write(report(samples, contestants));
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(samples));
} finally {
  for (const timer of timers) timer.end();
  try {
    rmdirSync(cgroupDirectory);
  } catch (error) {
    console.error(`left behind: ${error.message}`);
  }
  rmSync(work, { recursive: true, force: true });
}

/** @returns figure -> contestant -> samples */
async function measure(contestants, rounds) {
  const samples = {};
  const add = (name, figures) => {
    for (const [figure, sample] of Object.entries(figures)) {
      samples[figure] ??= {};
      samples[figure][name] ??= [];
      samples[figure][name].push(sample);
    }
  };
  const template = readTemplate(work, contestants.tsrun[0]);
  const bundles = new Bundles({ work, cgroup, template, rootfs: makeRootfs(work) });
  const floor = compile(work, 'floor', '-static');
  for (let round = 0; round < rounds; round++) {
    const ownGroup = path.join(cgroupDirectory, `floor${round}`);
    add('floor', { run: await timers[0].time([floor, bundles.rootfs, ownGroup, '/bin/true']) });
    for (const [name, command] of Object.entries(contestants)) {
      const runtime = [...command, '--root', path.join(work, `state-${name}`)];
      for (const [number, figure] of [run, runWithSeccomp, lifecycle, parallel].entries()) {
        const id = `b${round}-${number}-${name}`;
        add(name, await figure({ timer: timers[0], timers, runtime, bundles, id }));
      }
    }
  }
  return samples;
}
