/** A program that ends while the library works for it, and threads that end while the program goes on. */
import { spawn as spawnProgram } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { repoRoot, requires, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';
import { library, placeOf } from '../../harness/library.ts';

const skip = requires({ root: true, cgroup2: true, userns: true, runtime: 'tsrun', files: ['/bin/busybox'] });
const { list, open } = library;
const url = JSON.stringify(pathToFileURL(join(repoRoot, 'build/library.mjs')).href);

/** Runs a program that has imported the library as `tsrun`. `given` is what it gets as a variable of that name. */
function program(code: string, given: unknown) {
  const source = `import * as tsrun from ${url};\nconst given = ${JSON.stringify(given)};\n${code}`;
  const child = spawnProgram(process.execPath, ['--input-type=module', '--eval', source], { stdio: 'pipe' });
  const told = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return {
    child,
    /** Its output, what it wrote to stderr, and its exit code and signal. */
    ended: told.then(([stdout, stderr, [code, signal]]) => ({ stdout, stderr, code, signal })),
  };
}

/** Options of create, for a container with a hook that tells that it runs, and goes on until there is a gate. */
function withHook(box: Sandbox) {
  const [marker, gate] = ['marker', 'gate'].map((name) => join(box.directory, name)) as [string, string];
  const bundle = box.bundle((spec) => {
    const script = `: >${marker}; while [ ! -e ${gate} ]; do sleep 0.05; done`;
    spec.hooks = { createRuntime: [{ path: '/bin/busybox', args: ['sh', '-c', script] }] };
  });
  const { spec, rootfs } = bundle;
  return {
    marker,
    gate,
    spec,
    rootfs,
    options: { root: box.root, bundle: bundle.directory, id: box.newId(), stdio: 'ignore' },
  };
}

t.test('an exit in the middle of a create undoes it, and does not wait for its hook', { skip }, async (t) => {
  const box = sandbox(t);
  const { marker, options } = withHook(box);
  const { ended } = program(
    `import { existsSync } from 'node:fs';
    tsrun.create(given.options);
    setInterval(() => existsSync(given.marker) && process.exit(3), 20);`,
    { options, marker },
  );
  t.strictSame(await ended, { stdout: '', stderr: '', code: 3, signal: null });
  t.strictSame(readdirSync(box.root), []);
});

t.test('an exit removes what spawn has made, but not what is detached', { skip }, async (t) => {
  const box = sandbox(t);
  const places = [placeOf(box), placeOf(box), placeOf(box)];
  const { ended } = program(
    `import { once } from 'node:events';
    const [first, second, third] = given;
    const options = { stdio: 'ignore' };
    const made = [
      tsrun.spawn('sleep', ['1000'], { ...first, ...options }),
      tsrun.spawn('sleep', ['1000'], { ...second, ...options, detached: true }),
    ];
    await Promise.all(made.map((each) => once(each, 'spawn')));
    // Nobody is told of this one's start.
    tsrun.spawn('sleep', ['1000'], { ...third, ...options });
    setTimeout(() => { throw new Error('nobody catches this'); });`,
    places,
  );
  const { code, stderr } = await ended;
  t.equal(code, 1);
  t.match(stderr, /nobody catches this/);
  const [, detached] = places;
  t.match(await list(box), [{ id: detached?.id, status: 'running' }]);
  await (await open(detached?.id ?? '', box)).delete({ force: true });
});

t.test('a program that is killed leaves containers that can be found, used and removed', { skip }, async (t) => {
  const box = sandbox(t);
  const place = placeOf(box);
  const { child, ended } = program(
    `import { once } from 'node:events';
    await once(tsrun.spawn('sleep', ['1000'], { ...given, stdio: 'ignore' }), 'spawn');
    console.log('running');`,
    place,
  );
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  t.match(await ended, { signal: 'SIGKILL' });
  const container = await open(place.id, place);
  t.match(await container.state(), { status: 'running' });
  t.match(await container.exec(['true']).wait(), { code: 0 });
  await box.runtimeOk(['delete', '--force', place.id]);
  t.strictSame(await list(place), []);
});

t.test('a failure that nobody waits for or listens to ends the program', { skip }, async (t) => {
  const place = placeOf(sandbox(t));
  const { ended } = program(`tsrun.spawn('not-there', [], given); setInterval(() => {}, 1000);`, place);
  const { code, stderr } = await ended;
  t.equal(code, 1);
  t.match(stderr, /EPROGRAM/);
  const waits = program(
    `const child = tsrun.spawn('not-there', [], given);
    await child.wait().catch(({ code }) => console.log(code));`,
    place,
  );
  t.strictSame(await waits.ended, { stdout: 'EPROGRAM\n', stderr: '', code: 0, signal: null });
});

t.test('a worker that is terminated during a job does not end the program', { skip }, async (t) => {
  const box = sandbox(t);
  const { marker, gate, options } = withHook(box);
  const { ended } = program(
    `import { existsSync, writeFileSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    const code = 'import(' + JSON.stringify(${url}) + ').then((tsrun) => tsrun.create(' + JSON.stringify(given.options) + '))';
    const worker = new Worker(code, { eval: true });
    const look = setInterval(async () => {
      if (!existsSync(given.marker)) return;
      clearInterval(look);
      const ended = worker.terminate();
      writeFileSync(given.gate, '');
      await ended;
      console.log('it goes on');
      for (const { id } of await tsrun.list(given.options)) await (await tsrun.open(id, given.options)).delete({ force: true });
    }, 20);`,
    { options, marker, gate },
  );
  t.match(await ended, { stdout: 'it goes on\n', code: 0 });
  t.strictSame(readdirSync(box.root), []);
});

t.test('threads that were made for a burst end again, and keep no program alive', { skip }, async (t) => {
  const box = sandbox(t);
  const { gate, spec, rootfs } = withHook(box);
  const count = 8;
  const each = Array.from({ length: count }, () => {
    const id = box.newId();
    const own = { ...spec, linux: { ...spec.linux, cgroupsPath: `${box.cgroup}/${id}` } };
    const made = { root: box.root, spec: own, rootfs, id, stdio: 'ignore' };
    return { ...made, first: { ...made, spec: { ...own, hooks: undefined } } };
  });
  const { child, ended } = program(
    `import { readdirSync } from 'node:fs';
    const threads = () => readdirSync('/proc/self/task').length;
    // Now there are all the first threads: also the one that waits for ends.
    await (await tsrun.create(given[0].first)).delete();
    await Promise.all(given.map(({ root }) => tsrun.list({ root })));
    const before = threads();
    const all = await Promise.all(given.map(({ first, ...each }) => tsrun.create(each)));
    const busy = threads();
    for (const each of all) await each.delete();
    const holds = process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    console.log(JSON.stringify({ grew: busy > before, holds }));
    const look = setInterval(() => {
      if (threads() > before) return;
      clearInterval(look);
      console.log('as before');
    }, 50);`,
    each,
  );
  // All of them can begin only with more threads than the first ones.
  await waitFor('all to begin', () => readdirSync(box.root).length === count || undefined);
  writeFileSync(gate, '');
  t.match(await ended, { stdout: '{"grew":true,"holds":0}\nas before\n', stderr: '', code: 0 });
  t.equal(child.exitCode, 0);
});
