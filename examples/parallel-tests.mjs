#!/usr/bin/env node
/**
 * A parallel test runner: each test file is a shell script that gets a container of its own, with the directory of the
 * tests at /tests, read-only, and a /tmp of its own; 512 MiB of memory, where the host can limit it. As many run at a time as there are CPUs. Exits with 1 when one fails.
 *
 *     node examples/parallel-tests.mjs ROOTFS TEST-FILE...
 */
import { availableParallelism } from 'node:os';
import { basename, dirname } from 'node:path';
import { run } from 'tsrun';

const [rootfs, ...files] = process.argv.slice(2);
if (rootfs === undefined || files.length === 0) throw new Error('usage: parallel-tests.mjs ROOTFS TEST-FILE...');

const queue = [...files];
let failed = 0;
await Promise.all(Array.from({ length: availableParallelism() }, work));
console.log(`${files.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function work() {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const words = await outcome(file);
    if (words !== undefined) failed++;
    console.log(words === undefined ? `ok ${file}` : `not ok ${file}: ${words}`);
  }
}

/** What is wrong, or nothing. */
async function outcome(file) {
  try {
    const result = await run('sh', [`/tests/${basename(file)}`], {
      rootfs,
      mounts: [{ source: dirname(file), destination: '/tests' }],
      pids: 128,
      timeout: 60_000,
    });
    if (result.code === 0) return undefined;
    const how = result.timedOut
      ? 'took too long'
      : result.signal !== null
        ? `killed by ${result.signal}`
        : `exit ${result.code}`;
    return [how, result.stdout.trim(), result.stderr.trim()].filter((text) => text !== '').join('\n  ');
  } catch (error) {
    // The container could not be made: a fault of the machine's or of the options, not of the test.
    return error.message;
  }
}
