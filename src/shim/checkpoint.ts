/** Reads what containerd asks of a checkpoint, and makes CRIU's flags of it, and of a restore. */
import { join } from 'node:path';
import type { CheckpointRequest } from '../container/checkpoint/checkpoint.ts';
import { type CriuFlags, cgroupsModes } from '../container/checkpoint/options.ts';
import { decode } from '../protobuf/wire.ts';
import type { CreateOptions } from './create-options.ts';
import { checkpointOptions, checkpointRequest } from './messages.ts';
import { Status } from './ttrpc.ts';

/** runc's own defaults. */
const plain: Omit<CriuFlags, 'imagePath' | 'workPath'> = {
  tcpEstablished: false,
  tcpClose: false,
  extUnixSk: false,
  shellJob: false,
  fileLocks: false,
  linkRemap: false,
  lazyPages: false,
  autoDedup: false,
  manageCgroupsMode: undefined,
  networkLock: undefined,
  emptyNetwork: false,
};

/**
 * @param bundle gets CRIU's log if no other place is asked for
 * @throws Status for what the shim cannot do
 */
export function checkpointRequestOf(payload: Uint8Array, bundle: string): CheckpointRequest {
  const { path = '', options } = decode(checkpointRequest, payload);
  const asked = optionsOf(options ?? {});
  const imagePath = path || (asked.image_path ?? '');
  if (imagePath === '') throw new Status('invalidArgument', 'Checkpoint without a path for the images');
  return {
    ...plain,
    imagePath,
    workPath: asked.work_path || join(bundle, 'criu-work'),
    leaveRunning: !(asked.exit ?? false),
    tcpEstablished: asked.open_tcp ?? false,
    extUnixSk: asked.external_unix_sockets ?? false,
    shellJob: asked.terminal ?? false,
    fileLocks: asked.file_locks ?? false,
    emptyNetwork: isNetworkEmpty(asked.empty_namespaces ?? []),
    manageCgroupsMode: cgroupsMode(asked.cgroups_mode ?? ''),
    ...{ parentPath: undefined, preDump: false, tcpSkipInFlight: false, pageServer: undefined, statusFd: undefined },
  };
}

function optionsOf({ type_url = '', value = new Uint8Array() }: { type_url?: string; value?: Uint8Array }) {
  const isKnown = type_url.endsWith('containerd.runc.v1.CheckpointOptions');
  if (!isKnown && value.length > 0)
    throw new Status('unimplemented', `Checkpoint with options of the type ${type_url}`);
  return decode(checkpointOptions, value);
}

function isNetworkEmpty(namespaces: readonly string[]): boolean {
  const other = namespaces.find((each) => each !== 'network');
  if (other === undefined) return namespaces.length > 0;
  throw new Status('unimplemented', `empty namespace ${other}: CRIU can leave out the network namespace only`);
}

function cgroupsMode(name: string): CriuFlags['manageCgroupsMode'] {
  const mode = cgroupsModes.find((each) => each === name);
  if (mode !== undefined || name === '') return mode;
  throw new Status('invalidArgument', `cgroups mode ${name}: none of ${cgroupsModes.join(', ')}`);
}

/**
 * A restore has no options of its own: it brings back what the images have, but makes no connections out of the
 * container to Unix sockets, as images may come from anywhere.
 */
export function restoreFlags({ checkpoint, criuWorkPath }: CreateOptions): CriuFlags {
  return { ...plain, imagePath: checkpoint, workPath: criuWorkPath, tcpEstablished: true, fileLocks: true };
}
