import { spawnSync } from 'node:child_process';
import { isBuilt, locateImage } from './image.ts';
import type { Tier } from './tier.ts';

export interface Availability {
  readonly ok: boolean;
  /** The reason, for people; empty if ok. */
  readonly why: string;
}

/** Whether runInVm should work here; it may have to build the image first. */
export function vmAvailability(tier: Tier): Availability {
  const why = obstacle(tier) ?? '';
  return { ok: why === '', why };
}

function obstacle(tier: Tier): string | undefined {
  if (process.env.TSRUN_TEST_VM === '0') return 'TSRUN_TEST_VM=0';
  if (process.platform !== 'linux' || process.arch !== 'x64') return `the ${tier} VM is made for x86-64 Linux`;
  if (process.getuid?.() !== 0) return `the ${tier} VM needs root: namespaces and mounts`;
  const probe = spawnSync('unshare', ['--mount', '--pid', '--fork', '--mount-proc', 'true'], { encoding: 'utf8' });
  if (probe.status !== 0) return `no namespaces for the ${tier} VM: ${probe.error?.message ?? probe.stderr.trim()}`;
  if (!isBuilt(locateImage('base', tier), tier) && !hasProgram('apt-get'))
    return 'the VM image can only be built on Debian';
  return undefined;
}

function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name]).status === 0;
}
