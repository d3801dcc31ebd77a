/**
 * The runtime under test. RUNTIME in the environment chooses it: `tsrun` (the default: bin/tsrun of this checkout),
 * `runc`, `crun`, or the absolute path of another. A test that fails with all three is wrong.
 */
import { basename, isAbsolute, join } from 'node:path';
import { hasCapability, repoRoot } from './host.ts';
import type { Spec } from './spec.ts';

/** The name that tests compare: `tsrun`, `runc`, `crun`, … */
export const runtimeName = basename(process.env.RUNTIME || 'tsrun');

/** What is executed. */
export const runtimePath = resolveRuntime(process.env.RUNTIME || 'tsrun');

function resolveRuntime(runtime: string): string {
  if (runtime === 'tsrun') return join(repoRoot, 'bin/tsrun');
  if (isAbsolute(runtime) || !runtime.includes('/')) return runtime;
  throw new Error(`RUNTIME=${runtime}: give a name (tsrun, runc, crun) or an absolute path`);
}

/** Whether it is the form of tsrun on Node (build/Release/tsrun), not the executable. */
export const runsOnNode = runtimePath === join(repoRoot, 'build/Release/tsrun');

/** Who makes the containers' cgroups: the runtime itself, or systemd with TSRUN_TEST_CGROUP_DRIVER=systemd. */
export const cgroupDriver: 'cgroupfs' | 'systemd' =
  process.env.TSRUN_TEST_CGROUP_DRIVER === 'systemd' ? 'systemd' : 'cgroupfs';

/** Whether it can load a device program: crun first raises RLIMIT_MEMLOCK, which takes CAP_SYS_RESOURCE. */
export function canFilterDevices(): boolean {
  return runtimeName !== 'crun' || hasCapability('CAP_SYS_RESOURCE');
}

/** Removes from the default config what another runtime cannot do on this machine. */
export function adaptToRuntime(spec: Spec): void {
  if (runtimeName === 'tsrun') return;
  // Old versions of crun refuse newer versions of the spec.
  spec.ociVersion = '1.0.2';
  if (!canFilterDevices()) delete spec.linux?.resources?.devices;
}
