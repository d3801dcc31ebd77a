/** The resident shim in a place of engines. */
import { repoRoot } from '../harness/index.ts';
import type { EnginePlace } from './engine-place.ts';
import { imageName } from './image.ts';

export const shimType = 'io.containerd.tsrun.v2';

const name = 'containerd-shim-tsrun-v2';

/**
 * Puts it where containerd looks for it.
 * @param first a shell script's lines to run before, in the bundle's directory
 */
export function installShim(place: EnginePlace, first = ''): void {
  place.writeFile(`/usr/local/bin/${name}`, `#!/bin/sh\n${first}exec ${repoRoot}/bin/${name} "$@"\n`, 0o755);
}

/** The pids of the engines that run in the place. */
export async function shimEngines(place: EnginePlace): Promise<string[]> {
  const { stdout } = await place.run(['pgrep', '-f', '^[^ ]*node .*shim-engine.mjs ']);
  return stdout.split('\n').filter((pid) => pid !== '');
}

/** `ctr run` with the flags that this machine needs. */
export function runOnShim(flags: string[], id: string, ...args: string[]): string[] {
  const fixed = ['--runtime', shimType, '--cpu-shares', '0', '--cgroup', `/${id}`];
  return ['run', ...fixed, ...flags, imageName, id, ...args];
}
