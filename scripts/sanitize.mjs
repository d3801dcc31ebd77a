#!/usr/bin/env node
/**
 * `npm run test:sanitize [-- PART-OF-PATH ...]`: the integration tests against an engine with AddressSanitizer and UBSan
 * (and an init that UBSan ends by SIGILL). Fails when a test does, or when there is a report, which it prints.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { bundleForEngine, bundleTests } from './lib/bundle.mjs';
import { buildSanitizedEngine } from './lib/native.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { quickjsSources } from './lib/quickjs.mjs';

const reports = inRoot('build/sanitize/reports');
const runtime = inRoot('build/sanitize/tsrun');

const modules = inRoot('build/engine-js');
await bundleForEngine(modules);
await bundleTests();
clearReports();
buildSanitizedEngine({ quickjs: quickjsSources(), modules }, reports);
copyFileSync(inRoot('build/sanitize/Release/tsrun-engine'), runtime);
// A report of the build's own run of the engine counts, too.
const { status } = spawnSync(process.execPath, [inRoot('scripts/run-tests.mjs'), ...filters()], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, RUNTIME: runtime, TSRUN_TEST_VM: '0' },
});
const found = readdirSync(reports);
for (const name of found) console.log(`${name}:\n${readFileSync(`${reports}/${name}`, 'utf8')}`);
console.log(`${found.length} reports of sanitizers`);
process.exit(status === 0 && found.length === 0 ? 0 : 1);

function filters() {
  const given = process.argv.slice(2);
  return given.length > 0 ? given : ['test/integration/'];
}

/** Every user may write into it: containers of ordinary users are made by commands of theirs. */
function clearReports() {
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  chmodSync(reports, 0o1777);
}
