/** Checkpoint and restore by containerd: with ctr, and over the CRI as the kubelet has it done. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isInVm, repoRoot, requires, waitFor } from '../harness/index.ts';
import { engineCheckpoints, enterWithCriu, lockNothing } from './checkpoints.ts';
import { Containerd } from './containerd.ts';
import { namespaceMode } from './cri/client.ts';
import { startCri } from './cri/setup.ts';
import type { EnginePlace } from './engine-place.ts';
import { ociArchive, ociImage } from './image.ts';

t.setTimeout(30 * 60 * 1000);
const skip = await engineCheckpoints();

/** It counts in a file. A program that begins anew is far behind. */
const counter = ['sh', '-c', 'n=0; while :; do n=$((n+1)); echo $n >/n && mv /n /count; sleep 0.02; done'];
const far = 30;
const refusesRestore = requires({ differs: { crun: 'ends with 64 at the flags of the restore of containerd' } });

for (const shim of [false, true]) {
  const skipped = skip || (shim && isInVm ? 'the resident shim is tested in the tree' : false);
  t.test(`with ${shim ? 'the resident' : 'its own'} shim`, { skip: skipped }, async (t) => {
    await t.test('ctr task checkpoint and ctr container checkpoint, and restore from the image', (t) => byCtr(t, shim));
    await t.test('the CRI: CheckpointContainer, and CreateContainer from its archive', (t) => byCri(t, shim));
  });
}

async function byCtr(t: Test, shim: boolean) {
  const place = await enterWithCriu(t);
  lockNothing(place);
  const containerd = await Containerd.startIn(place, 'checkpoints', { shim });
  await containerd.outputOf('image', 'import', ociArchive(place.sandbox.directory));
  let execs = 0;
  const count = async (id: string, least = 1) =>
    waitFor(`${id} to count`, async () => {
      const { stdout } = await containerd.ctr('task', 'exec', '--exec-id', `exec-${++execs}`, id, 'cat', '/count');
      return Number(stdout) >= least ? Number(stdout) : undefined;
    });
  await containerd.detach([], 'box', ...counter);
  await count('box', far);

  // ctr knows the options of its own shim only: for another it makes an image.
  await t.test('a task', async (t) => {
    const paths = ['--image-path', '/tmp/images', '--work-path', '/tmp/work'];
    const made = await containerd.outputOf('task', 'checkpoint', ...(shim ? [] : paths), 'box');
    if (shim) t.match(made, /^containerd\.io\/checkpoint\/box:/);
    else t.match(await place.outputOf(['ls', '/tmp/images']), /^inventory\.img$/m);
    const log = shim ? '/run/containerd/io.containerd.runtime.v2.task/checkpoints/box/criu-work' : '/tmp/work';
    t.match(await place.outputOf(['ls', log]), /^dump\.log$/m);
    await count('box', (await count('box')) + 1);
  });
  await t.test('to an image', { skip: refusesRestore }, async (t) => {
    await containerd.outputOf('container', 'checkpoint', '--rw', '--task', 'box', 'checkpoint/box:1');
    const saved = await count('box');
    await containerd.remove('box');
    await containerd.outputOf('container', 'restore', '--rw', '--live', 'other', 'checkpoint/box:1');
    const restored = await count('other');
    t.ok(restored >= far, `it goes on at ${restored}, and was saved shortly before ${saved}`);
    await count('other', restored + 1);
    await containerd.remove('other');
  });
  if (refusesRestore) await containerd.remove('box');
}

async function byCri(t: Test, shim: boolean) {
  const place = await enterWithCriu(t, ['/pods']);
  lockNothing(place);
  const cri = await startCri(t, place, shim ? { shim: 'node' } : {});
  const pod = await cri.runPod('saved', { cgroup_parent: '/pods' });
  const count = async (container: string, least = 1) =>
    waitFor(`${container} to count`, async () => {
      const { stdout } = await cri.execSync(container, 'cat', '/count');
      return Number(stdout) >= least ? Number(stdout) : undefined;
    });
  const image = await registeredImage(place);
  // As the kubelet has it: in the pod's pid namespace its numbers could be another's.
  const own = { linux: { security_context: { namespace_options: { pid: namespaceMode.container } } } };
  const box = await cri.run(pod, image, { command: counter, ...own });
  await count(box, far);
  await cri.checkpoint(box, '/tmp/box.tar');
  const names = await place.outputOf(['tar', '-tf', '/tmp/box.tar']);
  for (const name of ['config.dump', 'spec.dump', 'checkpoint/inventory.img', 'rootfs-diff.tar']) t.match(names, name);
  await count(box, (await count(box)) + 1);
  await cri.stop(box);
  await cri.remove(box);
  const goesOn = async (t: Test, from: string) => {
    const restored = await cri.run(pod, from, own);
    const first = await count(restored);
    t.ok(first >= far, `it goes on at ${first}`);
    await count(restored, first + 1);
    await cri.stop(restored);
    await cri.remove(restored);
  };
  await t.test('a container from the archive', { skip: refusesRestore }, (t) => goesOn(t, '/tmp/box.tar'));
  await t.test('a container from an image that holds it', { skip: refusesRestore }, async (t) => {
    await goesOn(t, await checkpointImage(place, '/tmp/box.tar'));
  });
  await cri.removePod(pod);
}

/** An image with the archive's files, which containerd knows by its annotation (checkpointctl(1), build). */
async function checkpointImage(place: EnginePlace, archive: string): Promise<string> {
  const name = 'localhost/checkpoint:1';
  const annotations = { 'org.criu.checkpoint.container.name': 'box' };
  const files = place.pathOutside(archive);
  const images = ['ctr', '--namespace', 'k8s.io', 'image'];
  await place.outputOf([...images, 'import', ociImage(place.sandbox.directory, name, { files, annotations })]);
  await place.outputOf([...images, 'label', name, 'io.cri-containerd.image=managed']);
  return name;
}

/** An image under a registry's name, and the registry: at a restore containerd pulls it again by its digest. */
async function registeredImage(place: EnginePlace): Promise<string> {
  const name = '127.0.0.1:5000/counter';
  const archive = ociArchive(place.sandbox.directory, `${name}:1`);
  const layout = archive.replace(/\.tar$/, '');
  const registry = place.startDaemon(['node', join(repoRoot, 'test/clients/registry.mjs'), layout, '5000']);
  await waitFor('the registry', () => registry.output.stdout.includes('listening') || undefined);
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const images = ['ctr', '--namespace', 'k8s.io', 'image'];
  const byDigest = `${name}@${index.manifests[0].digest}`;
  await place.outputOf([...images, 'import', archive]);
  await place.outputOf([...images, 'tag', '--skip-reference-check', `${name}:1`, byDigest]);
  for (const each of [`${name}:1`, byDigest]) {
    await place.outputOf([...images, 'label', each, 'io.cri-containerd.image=managed']);
  }
  return `${name}:1`;
}
