import { normalize } from 'node:path';
import type { Op } from '../../generated/ops.ts';
import type { LinuxDevice, LinuxIDMapping } from '../../generated/spec.ts';
import { hasCapability } from '../../linux/capabilities.ts';
import { type Context, opensTrees } from '../context.ts';
import { mountLabelParameters } from '../process/labels.ts';
import { mountRequests } from './mount-request.ts';

/** File types of mknod(2), by the letters in linux.devices. */
export const fileTypes = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 } as const;

export interface Device extends LinuxDevice {
  /** JSON pointer. */
  readonly from: string;
  /** Number of the node that lowerNodes makes for it; undefined without one. */
  readonly number?: number | undefined;
}

/** The devices that every container has (config-linux.md, Default Devices). */
const defaultDevices: readonly Device[] = (
  [
    ['/dev/null', 1, 3],
    ['/dev/zero', 1, 5],
    ['/dev/full', 1, 7],
    ['/dev/random', 1, 8],
    ['/dev/urandom', 1, 9],
    ['/dev/tty', 5, 0],
  ] as const
).map(([path, major, minor]) => ({ path, type: 'c', major, minor, from: 'default' }));

/** The default devices that linux.devices does not name, followed by linux.devices. */
export function devicesOf(context: Context): Device[] {
  const asked = askedDevices(context);
  const paths = new Set(asked.map(({ path }) => path));
  const defaults = defaultDevices.filter(({ path }) => !paths.has(path));
  // The numbers after those of the mounts, which are numbered by index.
  const first = context.spec.mounts?.length ?? 0;
  const isOwn = makesNodes(context);
  const devices = [...defaults, ...asked];
  if (!isOwn) return devices;
  return devices.map((device, index) => (device.type === 'p' ? device : { ...device, number: first + index }));
}

/** Each device with the path to make it at. */
function askedDevices(context: Context): Device[] {
  return (context.linux.devices ?? []).map((device, index) => ({
    ...device,
    // podman keeps a slash that the user has put at the end.
    path: withoutEndSlash(normalize(device.path)),
    from: `/linux/devices/${index}`,
  }));
}

function withoutEndSlash(path: string): string {
  return path.endsWith('/') && path.length > 1 ? path.slice(0, -1) : path;
}

/** Whether /dev is bind-mounted, and so belongs to others, usually to the host. */
export function isDevBound(context: Context): boolean {
  return mountRequests(context).some(
    ({ options, destination }) => options.bind !== undefined && destination.path === '/dev',
  );
}

/** Whether init may make device nodes before it enters the container's user namespace, where that is forbidden. */
function makesNodes(context: Context): boolean {
  const { initialUserNamespace, capabilities } = context.host;
  return initialUserNamespace && hasCapability(capabilities, 'CAP_MKNOD') && opensTrees(context);
}

/**
 * Makes the nodes that could not be made in the container's user namespace. If the host has a default device, that is
 * used.
 */
export function lowerNodes(context: Context): Op[] {
  if (!makesNodes(context)) return [];
  return devicesOf(context)
    .filter(({ number, path }) => number !== undefined && !(isDevBound(context) && path.startsWith('/dev/')))
    .map((device) => lowerNode(context, device));
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
    onlyIfMissing: from === 'default',
  };
}

/** The host's ID for the ID in the config, or for the container's root. */
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
