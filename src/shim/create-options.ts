/** Reads what containerd asks of a new container from its message. */
import { join } from 'node:path';
import { decode } from '../protobuf/wire.ts';
import { createRequest, runcOptions } from './messages.ts';
import type { Mount } from './mounts.ts';
import { defaultStateRoot } from './note.ts';
import type { Io } from './stdio.ts';
import { Status } from './ttrpc.ts';

export interface CreateOptions {
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly rootfs: readonly Mount[];
  readonly io: Io;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  readonly cgroupManager: 'systemd' | 'cgroupfs';
}

/** @throws Status for what the shim cannot do: nothing that is asked for is silently left out */
export function createOptionsOf(payload: Uint8Array, namespace: string): CreateOptions {
  const asked = decode(createRequest, payload);
  const { id = '', bundle = '', rootfs = [], stdin = '', stdout = '', stderr = '', terminal = false } = asked;
  if (asked.checkpoint) throw new Status('unimplemented', 'Create from a checkpoint');
  const options = optionsOf(asked.options);
  return {
    root: options.root ? join(options.root, namespace) : defaultStateRoot(namespace),
    ...{ id, bundle, rootfs, io: { stdin, stdout, stderr, terminal } },
    noPivot: options.no_pivot_root ?? false,
    noNewKeyring: options.no_new_keyring ?? false,
    cgroupManager: options.systemd_cgroup ? 'systemd' : 'cgroupfs',
  };
}

function optionsOf({ type_url = '', value = new Uint8Array() }: { type_url?: string; value?: Uint8Array } = {}) {
  if (type_url.endsWith('containerd.runc.v1.Options')) return decode(runcOptions, value);
  // containerd sends these for a runtime that it does not know; nothing in them is for the shim.
  if (value.length === 0 || type_url.endsWith('runtimeoptions.v1.Options')) return {};
  throw new Status('unimplemented', `options of the type ${type_url}`);
}
