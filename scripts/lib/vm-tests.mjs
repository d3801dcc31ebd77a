/** Runs test files inside a VM: one boot for many of them, one line of results for each. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildHelpers } from './helpers-c.mjs';
import { secondOf, takeRetry } from './once-more.mjs';
import { fail, inRoot, root } from './paths.mjs';
import { addFailure, collectResults } from './tap-results.mjs';
import { loadVmLibrary } from './vm.mjs';

/**
 * @typedef {import('./once-more.mjs').Result} Result
 * @typedef {import('./tap-results.mjs').Skip} Skip
 * @typedef {{ file: string, tests?: string[] | undefined }} Selection without `tests`, all tests of the file
 */

/**
 * Seconds for one file, for one boot, and without a sign of life. The VMs are some ten times slower than the machine;
 * CI has 90 minutes.
 */
const fileTimeout = 1200;
const bootTimeout = 3600;
const quietTimeout = 300;
const heartbeat = 20;
/** The exit code of timeout(1) after it has sent SIGKILL, which kills it, too. */
const killed = 137;

/** These need engines: outside a VM they bring their own, in a VM the image has them. */
export const isClientTest = (/** @type {string} */ file) => file.startsWith('test/clients/');

/** These start VMs, and cannot run in one. */
export const isVmTest = (/** @type {string} */ file) => file.startsWith('test/vm/');

/**
 * The integration tests with these names, in whatever folder.
 *
 * @param {string[]} files
 * @param {string[]} names
 */
export function integrationTests(files, names) {
  const wanted = new RegExp(`^test/integration/.*/(${names.join('|')})\\.test\\.ts$`);
  return files.filter((file) => wanted.test(file));
}

/**
 * Separates from a file's results the tests that were skipped because something is missing here.
 *
 * @param {Result} result
 * @returns {{ result: Result, needy: Skip[] }}
 */
export function splitByNeed(result) {
  const isNeedy = ({ reason }) => !isVmTest(result.file) && /\bneeds /.test(reason);
  return {
    result: { ...result, skips: result.skips.filter((skip) => !isNeedy(skip)) },
    needy: result.skips.filter(isNeedy),
  };
}

/**
 * Runs each of these tests in the first tier that has what it needs.
 *
 * @param {Skip[]} skipped with the names of results: `FILE > TEST > ...`
 * @param {(result: Result) => void} onFile
 * @param {(...skips: Skip[]) => void} onSkip called with what no tier can run
 * @param {Record<string, string>} variables of the environment
 */
export async function runInCheapestTier(skipped, onFile, onSkip, variables = {}) {
  const { tiers, vmAvailability } = await loadVmLibrary();
  let rest = skipped;
  for (const tier of tiers) {
    if (rest.length === 0) return;
    const { ok, why } = vmAvailability(tier);
    if (!ok) {
      onSkip(...rest.map(({ name, reason }) => ({ name, reason: `${reason}; no VM: ${why}` })));
      return;
    }
    const selections = selectTests(rest);
    rest = [];
    const onResult = (found) => {
      const { result, needy } = splitByNeed(found);
      rest.push(...needy);
      onFile(result);
    };
    await runInTier(tier, selections, onResult, variables);
  }
  onSkip(...rest.map(({ name, reason }) => ({ name, reason: `${reason}; no VM has it` })));
}

/** @returns {Selection[]} */
export function selectTests(skipped) {
  const files = new Map();
  for (const { name } of skipped) {
    const [file, test] = name.split(' > ');
    const tests = files.get(file) ?? [];
    files.set(file, [...tests, test]);
  }
  // Without a test's name, the whole file was skipped.
  return [...files].map(([file, tests]) => ({ file, tests: tests.includes(undefined) ? undefined : tests }));
}

/**
 * Boots twice for the tests of engines, which need these installed, and once for all others. Those of engines take longest
 * and come last, when a CPU has nothing else to do: each half of the files has a VM of its own.
 *
 * @param {string} tier
 * @param {Selection[]} selections
 * @param {(result: Result) => void} onFile called with each file's results
 * @param {Record<string, string>} variables of the environment
 */
export async function runInTier(tier, selections, onFile, variables = {}) {
  const { allTiers, vmAvailability } = await loadVmLibrary();
  if (!allTiers.includes(tier)) fail(`--tier is one of ${allTiers.join(', ')}, not ${tier}`);
  const { ok, why } = vmAvailability(tier);
  if (!ok) fail(why);
  for (const packages of ['base', 'engines']) {
    const part = selections.filter(({ file }) => isClientTest(file) === (packages === 'engines'));
    const halves = packages === 'engines' ? [0, 1].map((half) => part.filter((_, at) => at % 2 === half)) : [part];
    const vms = halves.filter((files) => files.length > 0);
    await Promise.all(vms.map((files) => runInOneVm(tier, packages, files, onFile, variables)));
  }
}

/**
 * Tests of what depends on the architecture: system calls and their numbers, stacks and entry points of processes,
 * filters, passed descriptors, the engine and its snapshot. All tests would take an hour.
 */
export const architectureTests = ['run', 'seccomp', 'seccomp-notify'];

/** @param {string[]} files */
export async function runOnAarch64(files, onFile) {
  const selections = integrationTests(files, architectureTests).map((file) => ({ file }));
  const { vmAvailability } = await loadVmLibrary();
  if (selections.length === 0 || process.env.RUNTIME || !vmAvailability('aarch64').ok) return;
  // What this skips is also skipped here, or reported by another tier.
  await runInOneVm('aarch64', 'base', selections, (result) => onFile({ ...result, skips: [] }));
}

/**
 * Runs what fails, or has not run when the VM ends, in another VM if it may (once-more.mjs). The end of a VM counts as
 * one failure.
 */
async function runInOneVm(tier, packages, selections, onFile, variables = {}) {
  const again = [];
  const boot = (files, onResult) => bootWith(tier, packages, files, onResult, variables);
  const unheard = await boot(selections, (result, selection) => {
    if (result.failed > 0 && takeRetry()) again.push({ selection, first: result });
    else onFile(result);
  });
  const isRetried = unheard.length > 0 && takeRetry();
  for (const { result, selection } of unheard) {
    if (isRetried) again.push({ selection, first: result });
    else onFile(result);
  }
  if (again.length === 0) return;
  const onSecond = (second, selection) =>
    onFile(secondOf(again.find((one) => one.selection === selection).first, second));
  for (const { result, selection } of await boot(
    again.map(({ selection }) => selection),
    onSecond,
  ))
    onSecond(result, selection);
}

/** @returns {Promise<{ result: Result, selection: Selection }[]>} failures of what has not run */
async function bootWith(tier, packages, selections, onResult, variables) {
  const { runInVm } = await loadVmLibrary();
  // In a directory that other VMs do not copy with the checkout.
  mkdirSync(inRoot('build/vm'), { recursive: true });
  const directory = mkdtempSync(inRoot('build/vm/tests-'));
  const cleanUp = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', cleanUp);
  try {
    await bundle(selections, directory);
    const waiting = new Map(selections.map((selection) => [selection.file, selection]));
    const parsing = [];
    // Of the first file with the boot.
    let began = performance.now();
    const onLine = (line) => {
      const [file, code, stdout, stderr] = line.split(' ');
      const selection = waiting.get(file);
      waiting.delete(file);
      const parsed = parse(tier, file, Number(code), decode(stdout), decode(stderr));
      const seconds = (performance.now() - began) / 1000;
      began = performance.now();
      parsing.push(parsed.then((result) => onResult({ ...result, seconds }, selection)));
    };
    const ended = await runInVm({
      tier,
      packages,
      command: ['bash', '-c', guestScript(selections, directory)],
      shares: [directory],
      env: { ...guestEnvironment(tier), ...variables },
      timeoutSeconds: bootTimeout,
      quietSeconds: quietTimeout,
      onStdout: splitLines(onLine),
    }).catch((error) => error);
    await Promise.all(parsing);
    return [...waiting.values()].map((selection) => ({ selection, result: neverEnded(tier, selection.file, ended) }));
  } finally {
    process.off('exit', cleanUp);
    cleanUp();
  }
}

/** Whole programs, with tap: the VM has no node_modules, and is slow to read 500 small files. */
async function bundle(selections, directory) {
  const entryPoints = selections.map(({ file }) => inRoot('build', builtName(file)));
  for (const file of entryPoints) if (!existsSync(file)) fail(`${file} is missing; run: npm run build -- tests`);
  await build({
    entryPoints,
    outdir: directory,
    outbase: inRoot('build'),
    outExtension: { '.js': '.mjs' },
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: ['*.node'],
    sourcemap: 'inline',
    // Node reads the sources from the copy of the checkout.
    sourcesContent: false,
    logLevel: 'error',
    // CommonJS packages call require for Node's own modules.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    plugins: [withoutReact],
  });
}

/** tap loads a printer of React elements in a way that a bundle cannot follow; no test compares such elements. */
const withoutReact = {
  name: 'without-react',
  setup(build) {
    build.onLoad({ filter: /tcompare\/.*\/react-element-to-jsx-string\.js$/ }, () => ({
      contents: 'export default undefined;',
    }));
  },
};

/**
 * Runs one file after another and prints a line for each: name, exit code, stdout and stderr, the last two in base64.
 * Signs of life go to stderr.
 */
function guestScript(selections, directory) {
  const run = `run() {
    TAP_GREP=$3 timeout -s KILL ${fileTimeout} node --enable-source-maps "$2" >/tmp/stdout 2>/tmp/stderr
    echo "$1 $? $(base64 -w0 /tmp/stdout) $(base64 -w0 /tmp/stderr)"
  }`;
  const calls = selections.map(({ file, tests }) => {
    const words = [file, join(directory, builtName(file)), tests ? grepFor(tests) : '/^/'];
    return `run ${words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')}`;
  });
  return [`while sleep ${heartbeat}; do echo >&2; done &`, run, ...calls, 'kill $!'].join('\n');
}

/** tap's filter for test cases with exactly these names. */
export function grepFor(names) {
  const escaped = names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  return `/^(${escaped.join('|')})$/`;
}

function guestEnvironment(tier) {
  const env = { TAP_TIMEOUT: String(fileTimeout), ...helpersFor(tier) };
  for (const name of ['RUNTIME', 'TSRUN_TEST_CGROUP_DRIVER']) if (process.env[name]) env[name] = process.env[name];
  return env;
}

/** Those for aarch64 are built with its other parts; the machine's own are copied with the checkout. */
function helpersFor(tier) {
  if (tier === 'aarch64' || spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status !== 0) return {};
  const directory = inRoot('build/helpers-c');
  buildHelpers('gcc', directory);
  return { TSRUN_TEST_HELPERS: directory };
}

/** @returns {Promise<Result>} */
async function parse(tier, file, code, stdout, stderr) {
  const { parser, results } = collectResults(file);
  parser.end(stdout);
  const found = await results;
  if (code === killed) addFailure(found, file, `did not end within ${fileTimeout} s and was killed`);
  else if (code !== 0 && found.failed === 0) addFailure(found, file, `ended with ${code}`);
  // Tests that our own filter left out are not reported.
  const skips = found.skips.filter(({ reason }) => !reason.startsWith('filter: '));
  return { ...found, skips, file: `${file} in ${tier}`, stderr };
}

function neverEnded(tier, file, ended) {
  const found = { file: `${file} in ${tier}`, stderr: '', passed: 0, failed: 0, failures: [], skips: [], extra: '' };
  addFailure(found, file, ended instanceof Error ? ended.message : `the run ended before it: ${ended.stderr.trim()}`);
  return found;
}

function splitLines(onLine) {
  let rest = '';
  return (data) => {
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}

const builtName = (file) => file.replace(/\.ts$/, '.mjs');
const decode = (text) => Buffer.from(text ?? '', 'base64').toString();
