#!/usr/bin/env node
/**
 * `npm test [-- PART-OF-PATH ...]`: runs the built tests. Ends with one line, `N passed, N failed, N skipped`, after a
 * list of what was skipped and why.
 *
 * Tests that are skipped here because the machine lacks something run again in the first kind of VM that has it
 * (docs/vm.md). `--tier TIER` runs the files only in that VM. `--others` runs the tests of cgroups there with crun and
 * runc, with both drivers (docs/cgroups.md).
 *
 * Each test file is a plain node program: tap's own runner would take a second of CPU more for each, for TypeScript
 * loaders and coverage that these bundles do not use.
 *
 * Environment: RUNTIME is the runtime under test (tsrun, runc, crun or an absolute path);
 * TSRUN_TEST_VM=0 leaves out the VM; TSRUN_TEST_NODE_FORM=all runs every test with the form on Node, too
 * (lib/node-form.mjs); TSRUN_TEST_JOBS is the number of files run at a time (2); TSRUN_TEST_RETRIES, how many failing files
 * are run once more (lib/once-more.mjs).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { testFiles } from './lib/bundle.mjs';
import { runAgainstOthers, runUnderSystemd } from './lib/cgroup-tests.mjs';
import { nodeFormTests } from './lib/node-form.mjs';
import { withRetry } from './lib/once-more.mjs';
import { fail, inRoot, root } from './lib/paths.mjs';
import { addFailure, collectResults } from './lib/tap-results.mjs';
import { printFile, report, skip, timed } from './lib/test-report.mjs';
import { loadVmLibrary } from './lib/vm.mjs';
import { VmRuns } from './lib/vm-runs.mjs';
import { isClientTest, isVmTest, runInTier, runOnAarch64, splitByNeed } from './lib/vm-tests.mjs';

/**
 * Seconds: for one test, as tap counts it, and for a whole file, in case its event loop hangs. They turn a hang into a
 * failure, and are far above what a slow machine takes: more than the waits in a test (test/harness/process.ts).
 */
const testTimeout = 1800;
const fileTimeout = 3600;
/** Seconds that a file's last output may take after its end. */
const outputPatience = 60;

/** The launcher of the bundle that Node runs. */
const nodeForm = inRoot('build/Release/tsrun');

const running = new Set();

await main();

async function main() {
  const { tier, others, filters } = parseArguments(process.argv.slice(2));
  stopWithUs();
  const selected = selectFiles(filters);
  if (others) await runAgainstOthers(selected, printFile, skip);
  else if (tier === undefined) await runHere(selected);
  else await runInTier(tier, wholeFiles(selected), printFile);
  report();
}

/** @param {string[]} all */
function parseArguments(all) {
  const args = all.filter((arg) => arg !== '--others');
  const others = args.length < all.length;
  const at = args.lastIndexOf('--tier');
  if (at < 0) return { tier: undefined, others, filters: args };
  // The last one counts: npm run test:vm puts one before those of the command line.
  const filters = args.filter((arg, i) => arg !== '--tier' && args[i - 1] !== '--tier');
  return { tier: args[at + 1], others, filters };
}

/** Tests that start VMs cannot run in one. */
function wholeFiles(files) {
  return files.filter((file) => !isVmTest(file)).map((file) => ({ file }));
}

async function runHere(selected) {
  // The trees of engines bring runtimes of their own.
  if (!selected.every(isClientTest)) requireRuntime();
  const useVm = process.env.TSRUN_TEST_VM !== '0';
  const here = selected.filter((file) => useVm || !isVmTest(file));
  if (!useVm) skip(...selected.filter(isVmTest).map((name) => ({ name, reason: 'TSRUN_TEST_VM=0' })));
  const vms = new VmRuns(useVm);
  const trees = buildEngineTrees(selected);
  const systemd = vms.start('with the systemd driver', () => runUnderSystemd(selected, printFile));

  const needy = await timed('tests here', () => runEach(here.filter((file) => !isClientTest(file))));
  vms.startSkipped('what is skipped here', needy);
  // Not before: a release (test/install) contains what is built for aarch64.
  vms.start('on aarch64', () => runOnAarch64(selected, printFile), systemd);
  await trees;
  const needyClients = await timed('tests of engines here', () => runEach(here.filter(isClientTest)));
  vms.startSkipped('what is skipped of engines', needyClients);
  await timed('tests on Node', () => inParallel(otherForm(selected), runOnNode));
  await timed('then in VMs', () => vms.end());
}

/** Runs files here; returns the tests that need something that is missing. */
async function runEach(files) {
  const all = [];
  await inParallel(files, async (file) => {
    const { result, needy } = splitByNeed(await withRetry(() => runFile(file)));
    printFile(result);
    all.push(...needy);
  });
  return all;
}

/** @param {readonly string[]} files */
async function inParallel(files, work) {
  const queue = [...files];
  const jobs = Number(process.env.TSRUN_TEST_JOBS ?? 2);
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await work(file);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

/**
 * Tests that look at the command from outside must pass with both of its forms; bin/tsrun is the standalone executable.
 */
function otherForm(files) {
  return runsTsrun() ? nodeFormTests(files) : [];
}

async function runOnNode(file) {
  const { skips: _, ...result } = await withRetry(() => runFile(file, nodeForm));
  // What this form skips, the other has skipped and reported.
  printFile({ ...result, skips: [], file: `${file} on Node` });
}

function runsTsrun() {
  return ['', 'tsrun'].includes(process.env.RUNTIME ?? '');
}

/**
 * Builds them while other tests run. The tests of engines would do it themselves, but could not report why it fails.
 */
async function buildEngineTrees(files) {
  if (!files.some(isClientTest) || process.getuid() !== 0) return;
  const { ensureTree, suites } = await loadVmLibrary();
  for (const suite of suites) await ensureTree(suite, 'engines').catch((error) => console.error(error.message));
}

/** @param {string[]} filters files, directories or parts of a path, relative to the checkout */
function selectFiles(filters) {
  const files = testFiles();
  for (const filter of filters) {
    if (!files.some((file) => file.includes(filter))) fail(`no test file matches ${filter}`);
  }
  return filters.length === 0 ? files : files.filter((file) => filters.some((filter) => file.includes(filter)));
}

async function runFile(file, runtime = process.env.RUNTIME) {
  const built = inRoot('build', file.replace(/\.ts$/, '.mjs'));
  if (!existsSync(built)) fail(`${built} is missing; run: npm run build -- tests`);
  const began = performance.now();
  // A process group of its own, so that everything that a hanging test has started is killed with it.
  const [command, ...args] = [...wrapper(), process.execPath, '--enable-source-maps', built];
  const child = spawn(command, args, {
    cwd: root,
    env: { ...testEnvironment(), ...(runtime && { RUNTIME: runtime }) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child.pid);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const { parser, results } = collectResults(file);
  child.stdout.pipe(parser);
  const how = await endOf(child);
  running.delete(child.pid);
  parser.end();
  const found = await results;
  if (how !== undefined && (child.signalCode !== null || found.failed === 0)) addFailure(found, file, how);
  return { file, stderr, seconds: (performance.now() - began) / 1000, ...found };
}

/** Waits for the end of a test file; if it failed, returns how it ended. */
async function endOf(child) {
  let how;
  const timer = setTimeout(() => {
    how = `did not end within ${fileTimeout} s and was killed`;
    killGroup(child.pid, 'SIGKILL');
  }, fileTimeout * 1000);
  const closed = once(child, 'close');
  const [code, signal] = await once(child, 'exit');
  clearTimeout(timer);
  // The rest of its output comes at once, unless a process that it left behind holds the output open.
  const isClosed = await Promise.race([closed.then(() => true), sleep(outputPatience * 1000, false, { ref: false })]);
  if (!isClosed) {
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    return how ?? 'has left a process behind that holds its output open';
  }
  return how ?? (code === 0 ? undefined : `ended with ${signal ?? code}`);
}

/** Without the runtime every integration test would fail for the same reason. */
function requireRuntime() {
  const runtime = process.env.RUNTIME || 'tsrun';
  if (runtime === 'tsrun') return;
  const places = runtime.includes('/') ? [''] : (process.env.PATH ?? '').split(':').map((place) => `${place}/`);
  if (places.some((place) => existsSync(`${place}${runtime}`))) return;
  fail(`RUNTIME=${runtime} is not installed; for runc and crun run: scripts/setup.sh runtimes`);
}

/** runc and crun must not see the v1 hierarchies of a hybrid host; tsrun can handle them. */
function wrapper() {
  return runsTsrun() ? [] : [inRoot('scripts/with-cgroup2.sh')];
}

/** NODE_EXTRA_CA_CERTS costs every start of node 60 ms, and no test uses the network. */
function testEnvironment() {
  const env = { ...process.env, TAP_TIMEOUT: String(testTimeout) };
  delete env.NODE_EXTRA_CA_CERTS;
  return env;
}

function stopWithUs() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      for (const pid of running) killGroup(pid, signal);
      process.exit(1);
    });
  }
}

function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
