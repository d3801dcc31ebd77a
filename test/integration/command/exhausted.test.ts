/** A machine that has run out of something: the error says what, and nothing is left behind. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../../harness/host.ts';
import { requires, run, runtimePath, type Sandbox, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

/** Node itself dumps core if it cannot open what it needs to start. */
const isNode = runtimePath === join(repoRoot, 'build/Release/tsrun');
const skipNode = skip || requires({ commands: ['prlimit'] }) || (isNode && 'is about the standalone executable');

/** Without a limit of open files, which could not be set if the caller's is lower. */
function bundleWithoutLimits(box: Sandbox): string {
  return box.bundle((spec) => {
    spec.process.args = ['true'];
    spec.process.rlimits = [];
  }).directory;
}

t.test('too few open files for a run', { skip: skipNode }, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWithoutLimits(box);
  let failures = 0;
  // With 3, not even the dynamic linker can open the libraries.
  for (let limit = 4; ; limit++) {
    const command = [runtimePath, '--root', box.root, 'run', '--bundle', bundle, box.newId()];
    const { code, stderr } = await run('prlimit', [`--nofile=${limit}`, ...command]);
    t.same(readdirSync(box.root), [], `${limit}: no state is left`);
    if (code === 0) break;
    failures += 1;
    t.equal(code, 1);
    t.match(stderr, /^time="[^"]+" level=error msg="[^\n]*EMFILE[^\n]*\n$/, `${limit}: one line`);
    t.notMatch(stderr, 'internal error');
    if (limit > 30) return t.fail('a run needs more than 30 descriptors');
  }
  t.ok(failures > 3, 'a run needs some descriptors');
});

t.test('too few open files for an exec', { skip: skipNode }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle((spec) => (spec.process.rlimits = [])));
  for (let limit = 4; ; limit++) {
    const command = [runtimePath, '--root', box.root, 'exec', id, 'true'];
    const { code, stderr } = await run('prlimit', [`--nofile=${limit}`, ...command]);
    if (code === 0) break;
    t.equal(code, 255);
    t.match(stderr, /^time="[^"]+" level=error msg="exec failed: [^\n]*EMFILE[^\n]*\n$/, `${limit}: one line`);
    t.notMatch(stderr, 'internal error');
    if (limit > 30) return t.fail('an exec needs more than 30 descriptors');
  }
  t.match(await box.state(id), { status: 'created' });
});

t.test(
  'a container does not count as ended if there are too few open files to look at it',
  { skip: skipNode },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.process.args = ['sleep', '1000'];
      spec.process.rlimits = [];
    });
    const id = await box.createAndStart(bundle);
    const limited = (limit: number, command: string[]) =>
      run('prlimit', [`--nofile=${limit}`, runtimePath, '--root', box.root, ...command]);
    for (let limit = 4; limit < 9; limit++) {
      for (const command of [
        ['state', id],
        ['kill', id, '0'],
        ['delete', id],
      ]) {
        const { stdout, stderr } = await limited(limit, command);
        t.notMatch(stdout + stderr, /stopped"|not running|not exist|internal error/, `${limit}: ${command[0]}`);
      }
    }
    t.match(await box.state(id), { status: 'running' });
    // It may fail, but must never remove what leads to a container that may still run.
    for (let limit = 4; (await limited(limit, ['delete', '--force', id])).code !== 0; limit++) {
      await box.state(id);
    }
    t.match(await box.runtime(['state', id]), { code: 1, stderr: /does not exist/ });
  },
);

t.test('a full disk behind stdout is an error, and one behind --log is not', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWithoutLimits(box);
  const globals = `${runtimePath} --root ${box.root}`;
  const shell = (script: string) => run('/bin/sh', ['-c', script]);
  for (const command of ['list', 'features', '--help', '--version', `plan --bundle ${bundle}`, 'completion bash']) {
    const result = await shell(`${globals} ${command} >/dev/full`);
    t.match(result, { code: 1, stderr: /level=error msg="cannot write to stdout: ENOSPC .*hint/ }, command);
  }
  const debug = `--log /dev/full --log-level debug run --bundle ${bundle} ${box.newId()}`;
  t.match(await shell(`${globals} ${debug}`), { code: 0, stderr: /^cannot write --log \/dev\/full: ENOSPC\n$/ });
  t.match(await shell(`${globals} --trace /dev/full run --bundle ${bundle} ${box.newId()}`), { code: 0 });
  t.match(await shell(`${globals} state nope 2>/dev/full`), { code: 1 });
  t.same(readdirSync(box.root), []);
});
