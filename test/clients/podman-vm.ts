/** podman in the VM, run by shell scripts: as root, or as the ordinary user with a systemd of its own. */
import type { Test } from 'tap';
import type { Result } from '../harness/index.ts';
import { engineRuntime } from './engine-place.ts';
import { EngineVm, engineVm } from './engine-vm.ts';
import { rootfsArchive } from './image.ts';

/** For `skip`: false, or why this needs the VM. */
export const podmanInVm = engineVm({ controllers: ['memory', 'pids'] });

/** podman's flags before the command; a store without overlays, which cannot be on the VM's overlay. */
export const podmanFlags = `--storage-driver vfs --runtime ${engineRuntime} --events-backend file`;

/** Flags of `podman run` and `create` in these scripts. */
export const runFlags = '--network none --log-driver k8s-file';

export const run = `$podman run --rm ${runFlags}`;

/** Tries a command every tenth of a second until it succeeds. A hang ends with the script. */
export const until = (command: string) => `until ${command}; do sleep 0.1; done`;

/** Runs a shell script with `$podman`, which has the image `busybox`; ends with the first failing command. */
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
