/**
 * Many containers at a time and one after another: nothing is left behind, and nothing grows. TSRUN_TEST_ROUNDS is the
 * number of containers (100 by default).
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { repoRoot, requires, sandbox } from '../../harness/index.ts';
import { library, zombies } from '../../harness/library.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });
const { create, list, run } = library;

const rounds = Number(process.env.TSRUN_TEST_ROUNDS ?? 100);

/** Calls the action `count` times, `atOnce` at a time. */
async function inParallel(count: number, atOnce: number, action: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

const descriptors = () => readdirSync('/proc/self/fd').length;
const residentKiB = () => Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

t.test('spawns at 16 at a time leave nothing', { skip }, async (t) => {
  const box = sandbox(t);
  const { rootfs } = box.bundle();
  await inParallel(Math.max(60, rounds / 10), 16, async (index) => {
    const cgroup = `${box.cgroup}/${index}`;
    const { code, stdout } = await run('echo', [String(index)], { root: box.root, rootfs, cgroup });
    if (code !== 0 || stdout !== `${index}\n`) t.fail(`${index}: ${code} ${stdout}`);
  });
  t.strictSame(await list({ root: box.root }), []);
  t.same(zombies(), []);
});

t.test('lives one after the other grow neither memory nor descriptors', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
  });
  const life = async (index: number) => {
    const id = `${box.newId()}-${index}`;
    const container = await create({ root: box.root, bundle: bundle.directory, id, stdio: 'ignore' });
    await container.start();
    const { code } = await container.wait();
    await container.delete();
    if (code !== 0) t.fail(`${index}: ${code}`);
  };
  for (let warm = 0; warm < 20; warm++) await life(warm);
  const before = { fds: descriptors(), memory: residentKiB() };
  for (let index = 0; index < rounds; index++) await life(index);
  // Fewer: threads of an earlier test have ended meanwhile.
  t.ok(descriptors() <= before.fds, `${descriptors()} descriptors, ${before.fds} before`);
  // The heap may have grown without a collection, but not by some amount for each container.
  const grown = residentKiB() - before.memory;
  t.ok(grown < 32 * 1024 + rounds, `${grown} KiB more`);
  t.same(zombies(), []);
});

t.test('hooks that wait for each other are no deadlock', { skip }, async (t) => {
  const box = sandbox(t);
  const met = join(box.directory, 'met');
  mkdirSync(met);
  // More than the number of workers for busy CPUs.
  const count = 7;
  const script = `: >"${met}/$$"; while [ "$(ls ${met} | wc -l)" -lt ${count} ]; do sleep 0.02; done`;
  const { spec, rootfs } = box.bundle((spec) => {
    spec.process.args = ['true'];
    spec.hooks = {
      createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script], env: [`PATH=${process.env.PATH}`] }],
    };
  });
  const made = Array.from({ length: count }, () => {
    const id = box.newId();
    const own = { ...spec, linux: { ...spec.linux, cgroupsPath: `${box.cgroup}/${id}` } };
    return create({ root: box.root, spec: own, rootfs, id, stdio: 'ignore' });
  });
  for (const container of await Promise.all(made)) await container.delete();
  t.equal(readdirSync(met).length, count);
});

t.test('a stopped container holds no descriptor', { skip }, async (t) => {
  const box = sandbox(t);
  const { spec, rootfs } = box.bundle((spec) => {
    spec.process.args = ['true'];
  });
  const make = (index: number) => {
    const id = `${box.newId()}-${index}`;
    const own = { ...spec, linux: { ...spec.linux, cgroupsPath: `${box.cgroup}/${id}` } };
    return create({ root: box.root, spec: own, rootfs, id, stdio: 'ignore' });
  };
  const containers = await Promise.all(Array.from({ length: 8 }, (_, index) => make(index)));
  const alive = descriptors();
  await Promise.all(containers.map((each) => each.start()));
  await Promise.all(containers.map((each) => each.wait()));
  t.ok(descriptors() <= alive - containers.length, 'their pidfds are closed');
  await Promise.all(containers.map((each) => each.delete()));
});

t.test('several workers use it, beside each other and this thread', { skip }, async (t) => {
  const box = sandbox(t);
  const { rootfs } = box.bundle();
  const code = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { run } = await import(workerData.library);
    const { root, rootfs, cgroup, name } = workerData;
    let text = '';
    for (let i = 0; i < 5; i++) {
      text += (await run('echo', [name + i], { root, rootfs, cgroup: cgroup + '-' + name + i })).stdout;
    }
    parentPort.postMessage(text);`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const place = { root: box.root, rootfs, cgroup: `${box.cgroup}/w` };
  const texts = await Promise.all(
    ['a', 'b', 'c'].map((name) => {
      const workerData = { ...place, name, library: pathToFileURL(join(repoRoot, 'build/library.mjs')).href };
      const worker = new Worker(url, { workerData });
      return new Promise<string>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
  t.same(texts, ['a0\na1\na2\na3\na4\n', 'b0\nb1\nb2\nb3\nb4\n', 'c0\nc1\nc2\nc3\nc4\n']);
  t.strictSame(await list({ root: box.root }), []);
});
