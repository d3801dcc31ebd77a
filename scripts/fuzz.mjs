#!/usr/bin/env node
/**
 * `npm run fuzz [-- [--runs N] [TARGET ...]]`: libFuzzer, with AddressSanitizer and UBSan, on code that reads bytes
 * which a container or a stranger may have made (test/fuzz/targets/*.cc); then the random tests of the compilers in
 * TypeScript (test/fuzz/*.test.ts), a hundred times as long as in `npm test`. A target starts from its corpus in the
 * repository and keeps new inputs in build/fuzz/corpus; it leaves an input that breaks it in build/fuzz.
 *
 * --runs: inputs for each target (2,000,000). Needs clang++ (scripts/setup.sh fuzz).
 *
 * Coverage does not guide the tests in TypeScript: Jazzer.js would do that, but downloads its native part when it is
 * installed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fail, inRoot, root } from './lib/paths.mjs';

const targets = { plan: [], json: [], passwd: ['addon/init/passwd.cc', 'addon/init/base.cc'] };

/** Init's own functions would otherwise replace those that the sanitizers watch. */
const renamed = ['memcpy', 'memmove', 'memset', 'memcmp'].map((name) => `-D${name}=init_${name}`);

const { runs, names } = parse(process.argv.slice(2));
mkdirSync(inRoot('build/fuzz'), { recursive: true });
for (const name of names.filter((name) => name in targets)) fuzz(name, build(name));
const tests = readdirSync(inRoot('test/fuzz')).filter((name) => name.endsWith('.test.ts'));
const chosen = tests.map((name) => name.replace('.test.ts', '')).filter((name) => names.includes(name));
if (chosen.length > 0) runTests(chosen);

function parse(args) {
  const at = args.indexOf('--runs');
  const number = at < 0 ? 2_000_000 : Number(args.splice(at, 2)[1]);
  const compilers = ['config', 'devices', 'messages', 'seccomp'];
  const all = [...Object.keys(targets), ...compilers];
  const unknown = args.find((name) => !all.includes(name));
  if (unknown !== undefined) fail(`no target ${unknown}; there are ${all.join(', ')}`);
  return { runs: number, names: args.length > 0 ? args : all };
}

function build(name) {
  const program = inRoot('build/fuzz', name);
  const flags = ['-std=c++17', '-O1', '-g', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all'];
  // The target's own file uses libc's.
  const objects = targets[name].map((source) => {
    const object = inRoot('build/fuzz', `${name}-${path.basename(source)}.o`);
    run('clang++', [...flags, ...renamed, '-c', '-o', object, inRoot(source)]);
    return object;
  });
  run('clang++', [...flags, '-o', program, inRoot(`test/fuzz/targets/${name}.cc`), ...objects]);
  return program;
}

function fuzz(name, program) {
  const found = inRoot('build/fuzz/corpus', name);
  mkdirSync(found, { recursive: true });
  const limits = [`-runs=${runs}`, '-max_len=4608', '-timeout=20', '-rss_limit_mb=1024', '-verbosity=0'];
  const places = [`-artifact_prefix=${inRoot('build/fuzz')}/${name}-`, found, inRoot('test/fuzz/corpus', name)];
  run(program, [...limits, '-print_final_stats=1', ...places]);
  console.log(`${name}: ${runs} inputs, nothing found`);
}

function runTests(tests) {
  const env = { ...process.env, TSRUN_FUZZ_FACTOR: process.env.TSRUN_FUZZ_FACTOR ?? '100', TSRUN_TEST_VM: '0' };
  run('node', [inRoot('scripts/run-tests.mjs'), ...tests.map((name) => `test/fuzz/${name}.test.ts`)], env);
}

function run(program, args, env = process.env) {
  const { status, error } = spawnSync(program, args, { cwd: root, env, stdio: 'inherit' });
  if (error?.code === 'ENOENT') fail(`${program} is not installed; run: scripts/setup.sh fuzz`);
  if (status !== 0) fail(`${path.basename(program)} ${args.at(-1)}: ended with ${status}`);
}
