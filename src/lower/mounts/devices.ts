import type { Op } from '../../generated/ops.ts';
import { type Context, isInUserNamespace, sharesMounts } from '../context.ts';
import { type Device, devicesOf, fileTypes, isDevBound } from './nodes.ts';
import { rootfsPath } from './rootfs-path.ts';

/** runtime-linux.md, Dev symbolic links: made only if the source exists. */
const links: readonly { path: string; target: string }[] = [
  { path: '/dev/fd', target: '/proc/self/fd' },
  { path: '/dev/stdin', target: '/proc/self/fd/0' },
  { path: '/dev/stdout', target: '/proc/self/fd/1' },
  { path: '/dev/stderr', target: '/proc/self/fd/2' },
  // In no specification, but in every other runtime.
  { path: '/dev/core', target: '/proc/kcore' },
];

/**
 * The default devices, those of linux.devices, and the links in /dev. A bind-mounted /dev belongs to others, usually to
 * the host, so nothing is made in it. Where nothing can be mounted or made, the rootfs must have them.
 */
export function lowerDevices(context: Context): Op[] {
  const devices = devicesOf(context);
  const asked = devices.filter(({ from }) => from !== 'default');
  if (isDevBound(context)) {
    return asked.filter((device) => !isForeign(context, device)).map((device) => lowerDevice(context, device));
  }
  // The host's own root has the host's /dev.
  if (sharesMounts(context) && rootfsPath(context) === '/') return asked.map((device) => lowerDevice(context, device));
  const wanted = sharesMounts(context) && isInUserNamespace(context) ? asked : devices;
  return [...wanted.map((device) => lowerDevice(context, device)), ...lowerLinks(context)];
}

function isForeign({ notes }: Context, { path, from }: Device): boolean {
  if (!path.startsWith('/dev/')) return false;
  notes.push({ pointer: from, message: `/dev is a bind mount, so ${path} is what its source has there` });
  return true;
}

function lowerDevice(context: Context, device: Device): Op {
  const { path, type, major = 0, minor = 0, fileMode, uid, gid, from, number = -1 } = device;
  if (isInUserNamespace(context) && type !== 'p') {
    const isAsked = fileMode !== undefined || uid !== undefined || gid !== undefined;
    if (number < 0 && isAsked) {
      context.notes.push({
        pointer: from,
        message: "a device in a user namespace is the host's, with the host's mode and owner",
      });
    }
    return { op: 'bind-device', by: 'init', from, path, source: path, number, mode: fileTypes[type], major, minor };
  }
  const mode = fileTypes[type] | ((fileMode ?? 0o666) & 0o7777);
  return { op: 'make-device', by: 'init', from, path, mode, major, minor, uid: uid ?? 0, gid: gid ?? 0 };
}

function lowerLinks(context: Context): Op[] {
  const toProc = links.map(({ path, target }): Op => link(path, target, false));
  // There is no devpts of its own to link to.
  if (sharesMounts(context)) return toProc;
  return [
    ...toProc,
    // Points to the container's own devpts, whatever the image has there (config-linux.md, Default Devices).
    link('/dev/ptmx', 'pts/ptmx', true),
  ];
}

function link(path: string, target: string, replace: boolean): Op {
  return { op: 'make-symlink', by: 'init', from: 'default', path, target, replace, onlyToExisting: !replace };
}
