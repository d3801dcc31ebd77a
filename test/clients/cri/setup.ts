/** containerd with its CRI plugin and the runtime under test as its default runtime. */
import type { Test } from 'tap';
import { Containerd } from '../containerd.ts';
import { type EnginePlace, engineRuntime } from '../engine-place.ts';
import { imageName, ociArchive } from '../image.ts';
import { installShim, installShimElsewhere, shimType } from '../resident-shim.ts';
import { Cri } from './client.ts';

const pauseImage = 'localhost/pause:1';

export interface CriOptions {
  /** The cgroup driver: systemd, or else cgroupfs. */
  systemd?: boolean;
  /** Runs pods with the resident shim, and which containers then share a process. */
  shim?: 'node' | 'pod';
  /** Has that shim make the pods themselves, too (containerd 2). */
  sandboxes?: boolean;
  /** Names that shim by its path (`runtime_path`), which is outside of containerd's PATH. */
  byPath?: boolean;
}

export async function startCri(t: Test, place: EnginePlace, choices: CriOptions = {}): Promise<Cri> {
  const { systemd = false, shim, sandboxes = false, byPath = false } = choices;
  let path = '';
  const options: string[] = [];
  if (shim === undefined || systemd) options.push(`SystemdCgroup = ${systemd}`);
  if (shim === undefined) options.push(`BinaryName = "${runtimeFor(place)}"`);
  else {
    const first = hasCpu(place) ? '' : `[ ! -e config.json ] || ${withoutShares('config.json')}\n`;
    if (byPath) path = installShimElsewhere(place, first);
    else installShim(place, first);
    // containerd 2.1 starts no container in a user namespace if a runtime other than its own has options.
    if (shim === 'pod') options.push('Grouping = "pod"');
  }
  const type = shim === undefined ? 'io.containerd.runc.v2' : shimType;
  const sandboxer = sandboxes ? 'shim' : 'podsandbox';
  place.writeFile(
    '/etc/containerd/config.toml',
    configuration(majorVersion(place), { type, sandboxer, path }, options),
  );
  place.writeFile('/etc/cni/net.d/10-pods.conflist', JSON.stringify(network));
  const containerd = await Containerd.startIn(place, 'k8s.io');
  await addImage(containerd, imageName);
  if (!sandboxes) await addImage(containerd, pauseImage, ['sleep', '1000000']);
  const cri = new Cri(place, '/run/containerd/containerd.sock');
  t.teardown(() => cri.close());
  return cri;
}

/** The CRI plugin recognises its images by this label. */
async function addImage(containerd: Containerd, name: string, command?: string[]): Promise<void> {
  await containerd.outputOf('image', 'import', ociArchive(containerd.place.sandbox.directory, name, command));
  await containerd.outputOf('image', 'label', name, 'io.cri-containerd.image=managed');
}

function majorVersion(place: EnginePlace): number {
  return /^VERSION_CODENAME=trixie$/m.test(place.readFile('/usr/lib/os-release')) ? 1 : 2;
}

/** As in docs/engines.md. oom_score_adj below 0 would need CAP_SYS_RESOURCE. */
function configuration(
  version: number,
  { type, sandboxer, path }: { type: string; sandboxer: string; path: string },
  options: readonly string[],
): string {
  const cri = version === 1 ? 'io.containerd.grpc.v1.cri' : 'io.containerd.cri.v1.runtime';
  const sandboxImage =
    version === 1
      ? `[plugins."${cri}"]\n  sandbox_image = "${pauseImage}"`
      : `[plugins."io.containerd.cri.v1.images".pinned_images]\n  sandbox = "${pauseImage}"\n[plugins."${cri}"]`;
  return `
version = ${version + 1}
${sandboxImage}
  restrict_oom_score_adj = true
[plugins."${cri}".containerd]
  default_runtime_name = "under-test"
[plugins."${cri}".containerd.runtimes.under-test]
  runtime_type = "${type}"
  ${path === '' ? '' : `runtime_path = "${path}"`}
  ${version === 1 ? '' : `sandboxer = "${sandboxer}"`}
[plugins."${cri}".containerd.runtimes.under-test.options]
  ${options.join('\n  ')}
`;
}

/**
 * containerd sets CPU shares for every pod. Without a cpu controller in cgroup2 all runtimes refuse them, so a script
 * removes them from config.json and then executes the runtime.
 */
function runtimeFor(place: EnginePlace): string {
  if (hasCpu(place)) return engineRuntime;
  const script = '/usr/local/bin/runtime-without-cpu';
  place.writeFile(
    script,
    `#!/bin/sh
before=
for word; do
  [ "$before" != --bundle ] || ${withoutShares('"$word/config.json"')}
  before=$word
done
exec ${engineRuntime} "$@"
`,
    0o755,
  );
  return script;
}

function hasCpu(place: EnginePlace): boolean {
  return place.readFile('/sys/fs/cgroup/cgroup.controllers').split(/\s/).includes('cpu');
}

function withoutShares(file: string): string {
  return `sed -i 's/"cpu":{"shares":[0-9]*}/"cpu":{}/' ${file}`;
}

const network = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [{ type: 'ptp', ipam: { type: 'host-local', ranges: [[{ subnet: '10.88.0.0/24' }]] } }],
};
