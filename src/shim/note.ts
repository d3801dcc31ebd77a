/** The shim leaves a note in a bundle for its own `delete`, which containerd calls when the shim is gone. */
import { join } from 'node:path';

export interface BundleNote {
  /** Where the container's state is. */
  readonly root: string;
  /** The file with what the shim knows of the task. */
  readonly ledger: string;
}

export function noteOf(bundle: string): string {
  return join(bundle, 'tsrun-shim.json');
}

/**
 * The directory to use as `tsrun --root`.
 *
 * @param root runc's option, which holds one directory for each namespace; '' for the shim's own
 */
export function stateRootOf(root: string, namespace: string): string {
  return join(root === '' ? '/run/containerd/tsrun' : root, namespace);
}
