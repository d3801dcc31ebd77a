/** The resident shim in a place of engines. */
import { repoRoot } from '../harness/index.ts';
import type { EnginePlace } from './engine-place.ts';

export const shimType = 'io.containerd.tsrun.v2';

const name = 'containerd-shim-tsrun-v2';

/** Puts it where containerd looks for it. */
export function installShim(place: EnginePlace): void {
  place.writeFile(`/usr/local/bin/${name}`, `#!/bin/sh\nexec ${repoRoot}/bin/${name} "$@"\n`, 0o755);
}
