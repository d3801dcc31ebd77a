/** The resident shim in a place of engines. */
import { repoRoot } from '../harness/index.ts';
import type { EnginePlace } from './engine-place.ts';
import { imageName } from './image.ts';

export const shimType = 'io.containerd.tsrun.v2';

const name = 'containerd-shim-tsrun-v2';

/** A directory that is in no PATH. */
const elsewhere = '/opt/tsrun';

/**
 * Puts it where containerd looks for it.
 * @param first a shell script's lines to run before, in the bundle's directory
 */
export function installShim(place: EnginePlace, first = ''): void {
  install(place, '/usr/local/bin', first);
}

/** Puts it where containerd does not look. @returns its path */
export function installShimElsewhere(place: EnginePlace, first = ''): string {
  return install(place, elsewhere, first);
}

function install(place: EnginePlace, directory: string, first: string): string {
  const path = `${directory}/${name}`;
  place.writeFile(path, `#!/bin/sh\n${first}exec ${repoRoot}/bin/${name} "$@"\n`, 0o755);
  return path;
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
