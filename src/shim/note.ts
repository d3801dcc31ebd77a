/** The shim leaves a note in a bundle for its own `delete`, which containerd calls when the shim is gone. */
import { join } from 'node:path';

export function noteOf(bundle: string): string {
  return join(bundle, 'tsrun-shim.json');
}

/** The directory to use as `tsrun --root`. */
export function defaultStateRoot(namespace: string): string {
  return join('/run/containerd/tsrun', namespace);
}
