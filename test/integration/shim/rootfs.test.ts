/** Root filesystems that come as mounts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, sandbox, waitFor } from '../../harness/index.ts';
import { ShimClient } from '../../harness/shim-client.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', files: ['/bin/busybox'] });

t.test('root filesystems of a shim’s containers', { skip }, async (t) => {
  const box = sandbox(t);
  const client = await ShimClient.start(t, box);
  /** Runs a program on these mounts, and returns its exit status. */
  const run = async (program: string, mounts: (layers: string[], rootfs: string) => object[], depth = 1) => {
    const bundle = box.bundle((spec) => {
      spec.process.args = ['sh', '-c', program];
    });
    const id = box.newId();
    const base = join(box.directory, `${id}-${'x'.repeat(60)}`);
    const layers = Array.from({ length: depth }, (_, number) => join(base, `layer-${number}`));
    for (const [number, layer] of layers.entries()) {
      mkdirSync(layer, { recursive: true });
      writeFileSync(join(layer, `file-${number}`), '');
    }
    for (const name of ['upper', 'work']) mkdirSync(join(base, name), { mode: 0o755 });
    const rootfs = mounts([...layers, bundle.rootfs], base);
    // The mounts lie above the bundle's own directory, so the layer must be another.
    await client.create(id, bundle.directory, { rootfs });
    await client.ask('Start', id);
    const { exit_status } = await client.ask('Wait', id);
    await client.ask('Delete', id);
    return exit_status;
  };
  const overlay = (...options: string[]) => [{ type: 'overlay', source: 'overlay', options }];

  await t.test('a bind mount, read-only', async (t) => {
    const mounts = (_: string[], base: string) => [
      { type: 'bind', source: join(base, 'layer-0'), options: ['rbind', 'ro'] },
    ];
    await t.rejects(run('true', mounts), /OCI runtime create failed/, 'there is no shell in it');
  });
  for (const [depth, what] of [
    [3, 'more than 255 bytes'],
    [60, 'more than a page'],
  ] as const) {
    await t.test(`an overlay of ${depth} layers: ${what}`, async (t) => {
      const script = `test -e /file-0 && test -e /file-${depth - 1} && touch /new`;
      const mounts = (layers: string[], base: string) =>
        overlay(`lowerdir=${layers.join(':')}`, `upperdir=${base}/upper`, `workdir=${base}/work`);
      t.equal(await run(script, mounts, depth), 0);
    });
  }
  await t.test('options that nobody knows', async (t) => {
    await t.rejects(
      run('true', () => overlay('nonsense')),
      /cannot mount overlay on .*rootfs: .*EINVAL/,
    );
    await t.rejects(
      run('true', () => [{ type: 'ext4', source: '/x', options: ['loop'] }]),
      /option loop is not supported/,
    );
    await t.rejects(
      run('true', () => overlay('uidmap=0:1')),
      /uidmap=0:1 is not CONTAINER:HOST:LENGTH/,
    );
  });
  await t.test('an overlay with mapped layers', async (t) => {
    const map = ['uidmap=0:100000:65536', 'gidmap=0:100000:65536'];
    const mounts = (layers: string[], base: string) =>
      overlay(`lowerdir=${layers.join(':')}`, `upperdir=${base}/upper`, `workdir=${base}/work`, ...map);
    t.equal(await run('test "$(stat -c "%u %g" /file-0 /bin)" = "100000 100000\n100000 100000"', mounts), 0);
  });
  t.ok(
    await waitFor('the events', () => client.events.filter((event) => /delete/.test(event)).length === 3 || undefined),
  );
});
