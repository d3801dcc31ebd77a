#!/usr/bin/env node
/**
 * checkpoint-inside.mjs PROGRAM ROUNDS: the part of checkpoint.mjs in the VM or the tree. Every round runs every runtime
 * once, each round in another order. Prints JSON with milliseconds. PROGRAM (frozen.c) sees itself for how long it did not run.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [program, rounds] = process.argv.slice(2);
const work = '/tmp/bench';
const runtimes = ['tsrun', 'crun', 'runc'];
const bundle = `${work}/bundle`;
const gap = `${bundle}/rootfs/work/gap`;

makeBundle();
const versions = runtimes.map((name) => run([name, '--version']).split('\n')[0]);
const samples = Object.fromEntries(runtimes.map((name) => [name, []]));
// The first of all pays for what is read, or translated by qemu, for the first time; the first of a round for what has been lost.
for (const name of runtimes) await measure(name, `${name}-first`);
for (let round = 0; round < Number(rounds); round++) {
  console.error(`bench: round ${round + 1} of ${rounds}`);
  for (const name of order(round)) samples[name].push(await measure(name, `${name}-${round}`));
}
process.stdout.write(JSON.stringify({ versions: [...versions, run(['criu', '--version']).split('\n')[0]], samples }));

/** In six rounds each is twice in each place, and as often after one of the others as after the other. */
function order(round) {
  const turned = runtimes.map((_, place) => runtimes[(round + place) % runtimes.length]);
  return Math.floor(round / runtimes.length) % 2 === 0 ? turned : turned.reverse();
}

function makeBundle() {
  mkdirSync(`${bundle}/rootfs/work`, { recursive: true });
  for (const name of ['proc', 'sys', 'dev']) mkdirSync(`${bundle}/rootfs/${name}`);
  copyFileSync(program, `${bundle}/rootfs/frozen`);
  run(['runc', 'spec', '--bundle', bundle]);
  const spec = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8'));
  Object.assign(spec.process, { terminal: false, args: ['/frozen', '/work'] });
  spec.root.readonly = false;
  writeFileSync(`${bundle}/config.json`, JSON.stringify(spec));
  // Nothing is connected, and each runtime has its own flag to say so, or none.
  mkdirSync('/etc/criu', { recursive: true });
  for (const name of ['default', ...runtimes]) writeFileSync(`/etc/criu/${name}.conf`, 'network-lock skip\n');
  // On a hybrid host it would save those of cgroup v1, too, which are the machine's.
  const isHybrid = /^[1-9]/m.test(readFileSync('/proc/self/cgroup', 'utf8'));
  if (isHybrid) writeFileSync('/etc/criu/crun.conf', 'network-lock skip\ncgroup-dump-controller none\n');
}

async function measure(name, id) {
  const images = `${work}/images-${id}`;
  const kept = `${work}/kept-${id}`;
  const [runtime, ...where] = [name, '--bundle', bundle, id];
  // The last container's: this one has to have filled its memory before it is saved.
  rmSync(gap, { force: true });
  run([runtime, 'run', '--detach', ...where]);
  await newGap();
  const leaving = timed([runtime, 'checkpoint', '--leave-running', '--image-path', kept, id]);
  const frozenWhenLeft = await newGap();
  const saving = timed([runtime, 'checkpoint', '--image-path', images, id]);
  const restoring = timed([runtime, 'restore', '--detach', '--image-path', images, ...where]);
  const frozen = await newGap();
  run([runtime, 'delete', '--force', id]);
  for (const path of [images, kept]) rmSync(path, { recursive: true });
  return {
    'checkpoint --leave-running': leaving,
    'frozen by it': frozenWhenLeft,
    checkpoint: saving,
    restore: restoring,
    'both together': saving + restoring,
    'frozen by both': frozen,
  };
}

/** @returns the longest gap so far, in milliseconds, once the program runs; a new count begins */
async function newGap() {
  // It has told of the gap that has just ended when it tells of another one.
  await sleep(300);
  let text;
  while (!text) {
    try {
      text = readFileSync(gap, 'utf8');
    } catch {
      await sleep(20);
    }
  }
  rmSync(gap);
  return Number(text) / 1000;
}

function timed(command) {
  const started = process.hrtime.bigint();
  run(command);
  return Number(process.hrtime.bigint() - started) / 1e6;
}

/** As engines do it: the container's stdin and output are no pipes of this process. */
function run(command) {
  const capture = command.includes('--version') ? 'pipe' : 'ignore';
  return execFileSync(command[0], command.slice(1), { stdio: ['ignore', capture, capture], encoding: 'utf8' }) ?? '';
}
