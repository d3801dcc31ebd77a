import { normalize } from 'node:path';
import type { Op } from '../../generated/ops.ts';
import type { LinuxDevice, LinuxIDMapping } from '../../generated/spec.ts';
import { propagationFlags } from '../../linux/mount-flags.ts';
import { namespaceFlags } from '../../linux/namespaces.ts';
import { type Context, opensTrees } from '../context.ts';
import { mountLabelParameters } from '../process/labels.ts';
import { mountRequests } from './mount-request.ts';

/** File types of mknod(2), by the letters of linux.devices. */
export const fileTypes = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 } as const;

export interface Device extends LinuxDevice {
  /** JSON pointer. */
  readonly from: string;
  /** Of the node that lowerNodes makes for it; undefined without one. */
  readonly number?: number | undefined;
}

/** linux.devices, each with the path that it is made at. */
export function askedDevices(context: Context): Device[] {
  const first = context.spec.mounts?.length ?? 0;
  const isOwn = makesNodes(context);
  return (context.linux.devices ?? []).map((device, index) => ({
    ...device,
    // podman leaves the slash that a user puts at the end.
    path: normalize(device.path).replace(/(?<=.)\/$/, ''),
    from: `/linux/devices/${index}`,
    number: isOwn && device.type !== 'p' ? first + index : undefined,
  }));
}

/** Whether /dev is somebody else's, usually the host's own. */
export function isDevBound(context: Context): boolean {
  return mountRequests(context).some(
    ({ options, destination }) => options.bind !== undefined && destination.path === '/dev',
  );
}

/** Whether init may make device nodes before it is in the container's user namespace, where nobody may. */
function makesNodes(context: Context): boolean {
  const capMknod = 1n << 27n;
  const { initialUserNamespace, capabilities } = context.host;
  return initialUserNamespace && (capabilities & capMknod) !== 0n && opensTrees(context);
}

/**
 * The nodes of linux.devices that the container's user namespace could not make. Those of the default devices are the
 * host's.
 */
export function lowerNodes(context: Context): Op[] {
  const devices = askedDevices(context).filter(
    ({ number, path }) => number !== undefined && !(isDevBound(context) && path.startsWith('/dev/')),
  );
  if (devices.length === 0) return [];
  return [
    // Nothing that is mounted here is ever seen on the host, whatever ends init.
    { op: 'unshare', by: 'init', from: 'default', namespaces: ['mount'], flags: namespaceFlags.mount },
    {
      op: 'set-propagation',
      by: 'init',
      from: 'default',
      propagation: 'slave',
      flags: propagationFlags.slave,
      recursive: true,
    },
    ...devices.map((device) => lowerNode(context, device)),
  ];
}

function lowerNode(context: Context, device: Device): Op {
  const { path, type, major = 0, minor = 0, fileMode = 0o666, from, number = 0 } = device;
  return {
    op: 'make-node',
    by: 'init',
    from,
    path,
    number,
    mode: fileTypes[type] | (fileMode & 0o7777),
    major,
    minor,
    uid: ownerOf(context, device, 'uid'),
    gid: ownerOf(context, device, 'gid'),
    parameters: mountLabelParameters(context, 'tmpfs'),
  };
}

/** The host's ID for that of the config, or for the container's root. */
function ownerOf({ linux, warnings }: Context, device: Device, kind: 'uid' | 'gid'): number {
  const mappings = linux[`${kind}Mappings`] ?? [];
  const asked = device[kind];
  const id = hostId(mappings, asked ?? 0);
  if (id === undefined && asked !== undefined) {
    const why = mappings.length === 0 ? 'is not known here' : 'has no such ID';
    warnings.push({
      pointer: `${device.from}/${kind}`,
      message: `the user namespace ${why}: the device belongs to root`,
    });
  }
  return id ?? hostId(mappings, 0) ?? 0;
}

function hostId(mappings: readonly LinuxIDMapping[], id: number): number | undefined {
  const found = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return found === undefined ? undefined : found.hostID + id - found.containerID;
}
