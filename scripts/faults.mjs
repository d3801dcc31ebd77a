#!/usr/bin/env node
/**
 * `npm run test:faults [-- [--cases N] [--jobs N] [SCENARIO ...]]`: breaks the system calls of every command, one at a
 * time, and says what comes of it (docs/reliability.md). Fails when something is found. --cases: of each scenario, N
 * spread evenly, instead of all. SCENARIO is a row of the table that it prints.
 *
 * RUNTIME is the runtime under test: tsrun, crun, runc, or an absolute path (build/Release/tsrun is the form on Node).
 */
import { spawnSync } from 'node:child_process';
import { bundleProgram } from './lib/bundle.mjs';
import { inRoot, root } from './lib/paths.mjs';

await bundleProgram('test/faults/main.ts');
const wrapper = ['', 'tsrun', inRoot('build/Release/tsrun')].includes(process.env.RUNTIME ?? '');
const command = [
  process.execPath,
  '--enable-source-maps',
  inRoot('build/test/faults/main.mjs'),
  ...process.argv.slice(2),
];
const [program = '', ...args] = wrapper ? command : [inRoot('scripts/with-cgroup2.sh'), ...command];
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
process.exit(spawnSync(program, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1);
