/** podman in the VM, by scripts of a shell there: as root, or as the ordinary user with a systemd of its own. */
import type { Test } from 'tap';
import type { Result } from '../harness/index.ts';
import { engineRuntime } from './engine-place.ts';
import { EngineVm, engineVm } from './engine-vm.ts';
import { rootfsArchive } from './image.ts';

/** For `skip`. */
export const podmanInVm = engineVm({ controllers: ['memory', 'pids'] });

/** podman's flags before the command; a store without an overlay, which could not lie on the VM's. */
export const podmanFlags = `--storage-driver vfs --runtime ${engineRuntime} --events-backend file`;

/** What a container of `podman run` or `create` is given in these scripts. */
export const runFlags = '--network none --log-driver k8s-file';

export const run = `$podman run --rm ${runFlags}`;

/** Tries a command every tenth of a second until it succeeds. A hang is cut with the script. */
export const until = (command: string) => `until ${command}; do sleep 0.1; done`;

/** Runs a shell script that has `$podman` with the image `busybox`; its first failing command ends it. */
export async function runScript(t: Test, lines: string[], { rootless = false } = {}): Promise<Result> {
  const vm = EngineVm.enter(t);
  const archive = '/tmp/podman-vm-image.tar';
  await vm.outputOf(['cp', rootfsArchive(vm.sandbox.directory), archive]);
  await vm.outputOf(['chmod', '644', archive]);
  const script = [
    'set -e',
    `podman="podman ${podmanFlags}"`,
    `$podman image exists busybox || $podman import -q ${archive} busybox >/dev/null 2>&1`,
    ...lines,
  ].join('\n');
  const asUser = ['systemd-run', '--quiet', '--pipe', '--wait', '--machine', 'user@', '--user', 'sh', '-c', script];
  return vm.run(rootless ? asUser : ['sh', '-c', script], { seconds: 800 });
}
