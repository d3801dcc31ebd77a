/** The config every integration test starts from. */

import type { Linux, Mount, Process, Spec as ProductSpec, Root } from '../../src/generated/spec.ts';
import { defaultSpec as productSpec } from '../../src/template/template.ts';

export type { Hook, Mount } from '../../src/generated/spec.ts';

/** A Spec that has all sections of the default config, so that tests need not check for them. */
export interface Spec extends ProductSpec {
  process: Process & { args: string[]; env: string[]; user: NonNullable<Process['user']> };
  root: Root;
  mounts: Mount[];
  linux: Linux & { namespaces: NonNullable<Linux['namespaces']> };
}

/** Gives the container a user namespace of its own, whose IDs are the host's from `hostID` on. */
export function inUserNamespace({ linux }: Spec, hostID = 100_000, size = 65_536): void {
  linux.namespaces.push({ type: 'user' });
  linux.uidMappings = [{ containerID: 0, hostID, size }];
  linux.gidMappings = [{ containerID: 0, hostID, size }];
}

/** What `tsrun spec` writes, but without a terminal and with a writable root; a new object with each call. */
export function defaultSpec(): Spec {
  const { process, root, mounts, linux, ...rest } = productSpec();
  return {
    ...rest,
    process: { cwd: '/', args: ['/bin/true'], env: [], user: {}, ...process, terminal: false },
    root: { ...(root ?? { path: 'rootfs' }), readonly: false },
    mounts: mounts ?? [],
    linux: { namespaces: [], ...linux },
  };
}
