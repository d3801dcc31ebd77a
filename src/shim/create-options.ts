/** Reads what containerd asks of a new container from its message. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RootfsMount } from '../container/rootfs-mounts.ts';
import { decode } from '../protobuf/wire.ts';
import { createRequest } from './messages.ts';
import { stateRootOf } from './note.ts';
import { shimOptions } from './options.ts';
import type { Io } from './stdio.ts';

export interface CreateOptions {
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly rootfs: readonly RootfsMount[];
  readonly io: Io;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  readonly cgroupManager: 'systemd' | 'cgroupfs';
  /** Directory of the images of a checkpoint that Start restores; '' for a new container. */
  readonly checkpoint: string;
  /** CRIU's working directory. */
  readonly criuWorkPath: string;
  /** Set for the container that holds a pod's namespaces: when the sandbox was made, in milliseconds since 1970. */
  readonly sandbox?: { readonly createdAt: number };
}

/** @throws Status for what the shim cannot do: nothing that is asked for is silently left out */
export function createOptionsOf(payload: Uint8Array, namespace: string): CreateOptions {
  const asked = decode(createRequest, payload);
  const { id = '', bundle = '', rootfs = [], stdin = '', stdout = '', stderr = '', terminal = false } = asked;
  const options = shimOptions(asked.options ?? {});
  const { root, noPivot, noNewKeyring, systemdCgroup, ioUid, ioGid, criuImagePath, criuWorkPath } = options;
  const isSystemd = systemdCgroup ?? isUnit(bundle);
  return {
    root: stateRootOf(root, namespace),
    ...{ id, bundle, rootfs, io: { stdin, stdout, stderr, terminal, uid: ioUid, gid: ioGid } },
    ...{ noPivot, noNewKeyring },
    cgroupManager: isSystemd ? 'systemd' : 'cgroupfs',
    // Of an image containerd gives the path where it has unpacked it; a path comes in the options.
    checkpoint: asked.checkpoint || criuImagePath,
    criuWorkPath: criuWorkPath || join(bundle, 'criu-work'),
  };
}

/** Mount points are made in it, which containerd does not remove with the bundle. */
const emptyRoot = { type: 'tmpfs', source: 'rootfs', options: ['nosuid', 'nodev', 'mode=755', 'size=64k'] };

/** Of a sandbox, for which containerd passes none. */
export function sandboxOptionsOf(id: string, bundle: string, namespace: string): CreateOptions {
  const io = { stdin: '', stdout: '', stderr: '', terminal: false, uid: 0, gid: 0 };
  return {
    ...{ root: stateRootOf('', namespace), id, bundle, rootfs: [emptyRoot], io, noPivot: false, noNewKeyring: false },
    cgroupManager: isUnit(bundle) ? 'systemd' : 'cgroupfs',
    ...{ checkpoint: '', criuWorkPath: '', sandbox: { createdAt: Date.now() } },
  };
}

/** dockerd says only with the form slice:prefix:name that systemd makes the cgroup. */
function isUnit(bundle: string): boolean {
  try {
    const { linux } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as {
      linux?: { cgroupsPath?: unknown };
    };
    return /^[^:/]*:[^:/]*:[^:/]+$/.test(String(linux?.cgroupsPath ?? ''));
  } catch {
    // Create itself says what is wrong with it.
    return false;
  }
}
