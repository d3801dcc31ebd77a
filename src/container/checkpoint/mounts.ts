import { constants, openSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { closeQuietly } from '../../close.ts';
import { emptyDirectory } from '../../criu/service.ts';
import { errorCode, TsrunError } from '../../errors.ts';
import type { Mount, Spec } from '../../generated/spec.ts';
import { type MountInfo, mountsOf } from '../../host/mount-info.ts';
import { isAbsent } from '../../there.ts';
import type { ExternalMount, ImageNotes, MountPoint } from './images.ts';
import { mountOf } from './open-file.ts';

/** Filesystems with one instance for many mounts. CRIU mounts them anew, although the host has them mounted, too. */
const kernelFilesystems = ['proc', 'sysfs', 'mqueue', 'cgroup2', 'devpts'];

const maxLinks = 40;

/** What the mounts over masked directories have. */
const maskOptions = ['ro', 'nosuid', 'nodev', 'noexec'];

/**
 * Finds which of the container's mounts restore must bring along, and where mount points must be.
 *
 * @throws TsrunError for a mount from the host that no property of config.json asks for
 */
export function surveyMounts(pid: number, spec: Spec): ImageNotes {
  const mounts = mountsOf(pid);
  const origins = originsOf(spec, `/proc/${pid}/root`);
  const root = mounts.find(({ point }) => point === '/');
  const onHost = new Set(mountsOf('self').map(({ device }) => device));
  const externals = mounts
    .filter((mount) => mount !== root && isExternal(mount, onHost, origins))
    .map((mount) => externalOf(mount, origins));
  externals.push(...masksOf(pid, spec, mounts).filter(({ point }) => externals.every((each) => each.point !== point)));
  const mountPoints = mounts.filter(({ parent }) => parent === root?.id).map(({ point }) => mountPoint(pid, point));
  return { version: 1, mountPoints, externals };
}

/** A property that binds something from the host, and its place in the container, with links followed. */
interface Origin {
  readonly destination: string;
  readonly place: string;
}

function originsOf(spec: Spec, root: string): Origin[] {
  const destinations = [
    ...(spec.mounts ?? []).filter(isBind).map(({ destination }) => join('/', destination)),
    ...(spec.linux?.maskedPaths ?? []),
    ...(spec.linux?.devices ?? []).map(({ path }) => path),
    '/dev/null',
    '/dev/zero',
    '/dev/full',
    '/dev/random',
    '/dev/urandom',
    '/dev/tty',
  ];
  return destinations.map((destination) => ({ destination, place: resolveInside(root, destination) }));
}

function isBind({ type, options = [] }: Mount): boolean {
  return type === 'bind' || options.includes('bind') || options.includes('rbind');
}

/** A mount from the host is known by its filesystem, which the host has mounted, too. */
function isExternal({ device, point, type }: MountInfo, onHost: Set<string>, origins: readonly Origin[]): boolean {
  if (onHost.has(device) && !kernelFilesystems.includes(type)) return true;
  return origins.some(({ place }) => place === point) && onHost.has(device);
}

function externalOf({ point, type }: MountInfo, origins: readonly Origin[]): ExternalMount {
  const fitting = origins.filter(({ place }) => point === place || point.startsWith(`${place}/`));
  // Of two at the same place, the later one covers the other.
  const origin = fitting.reduce<Origin | undefined>(
    (best, each) => (best !== undefined && best.place.length > each.place.length ? best : each),
    undefined,
  );
  if (origin !== undefined) {
    return { point, destination: origin.destination, below: point.slice(origin.place.length) };
  }
  throw new TsrunError(
    `cannot checkpoint the container: ${point} is a mount (${type}) of the host's, and no property of config.json asks for it`,
    {
      hint: 'a hook has made it, or tsrun did after create: unmount it first, or have it in /mounts',
    },
  );
}

/**
 * Finds the empty directories over masked ones. As a filesystem of the container's own, CRIU would start tar for it at
 * checkpoint and at restore.
 */
function masksOf(pid: number, spec: Spec, mounts: readonly MountInfo[]): ExternalMount[] {
  return (spec.linux?.maskedPaths ?? []).flatMap((destination) => {
    const place = resolveInside(`/proc/${pid}/root`, destination);
    const [mount, ...others] = mounts.filter(({ point }) => point === place);
    // CRIU knows a mount by its point: of several there, it would take all for this one.
    if (mount === undefined || others.length > 0 || !isMask(pid, mount)) return [];
    return [{ point: place, destination, below: '', isMask: true }];
  });
}

/** A program that may mount could have put another filesystem there, so the directory itself is looked at. */
function isMask(pid: number, { id, type, root, point, options }: MountInfo): boolean {
  if (type !== 'tmpfs' || root !== '/' || !maskOptions.every((name) => options.includes(name))) return false;
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/root${point}`, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return false;
  }
  try {
    return mountOf(process.pid, fd) === id && readdirSync(`/proc/self/fd/${fd}`).length === 0;
  } finally {
    closeQuietly(fd);
  }
}

function mountPoint(pid: number, path: string): MountPoint {
  // Only a directory can be mounted on a directory, and a file on a file, so the mount tells what to make.
  return { path, isDirectory: statSync(`/proc/${pid}/root${path}`).isDirectory() };
}

/** Where a path leads inside the container. A missing path leads to itself. */
function resolveInside(root: string, path: string): string {
  let at = '/';
  const parts = path.split('/').filter(Boolean);
  for (let links = 0; parts.length > 0; ) {
    const part = parts.shift() as string;
    if (part === '.') continue;
    if (part === '..') {
      at = dirname(at);
      continue;
    }
    const next = join(at, part);
    const target = linkAt(root + next);
    if (target === undefined) at = next;
    else if (++links > maxLinks) return next;
    else {
      if (target.startsWith('/')) at = '/';
      parts.unshift(...target.split('/').filter(Boolean));
    }
  }
  return at;
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isAbsent(error) || ['EINVAL', 'EACCES'].includes(errorCode(error))) return undefined;
    throw error;
  }
}

/**
 * Finds what to mount where CRIU expects something from the host. This follows config.json, which may have changed
 * since the checkpoint.
 *
 * @throws TsrunError where config.json has no such mount, or its source is missing
 */
export function externalSources(
  spec: Spec,
  bundle: string,
  notes: ImageNotes | undefined,
): { key: string; val: string }[] {
  if (notes === undefined) return sourcesByConfig(spec, bundle);
  return notes.externals.map(({ point, destination, below, isMask }) => {
    // Masks stay, whatever config.json says now: the program was started with them.
    if (isMask) return { key: point, val: emptyDirectory };
    const val = sourceOf(spec, bundle, destination) + below;
    demandSource(val, destination);
    return { key: point, val };
  });
}

/** Images from runc and crun name their mounts by the destinations in config.json. */
function sourcesByConfig(spec: Spec, bundle: string): { key: string; val: string }[] {
  const binds = (spec.mounts ?? []).filter(isBind);
  const masks = spec.linux?.maskedPaths ?? [];
  return [
    ...binds.map(({ destination }) => ({ key: destination, val: sourceOf(spec, bundle, join('/', destination)) })),
    ...masks.map((key) => ({ key, val: '/dev/null' })),
  ];
}

function sourceOf(spec: Spec, bundle: string, destination: string): string {
  const mount = spec.mounts?.findLast((each) => isBind(each) && join('/', each.destination) === destination);
  if (mount !== undefined) return resolve(bundle, mount.source ?? '');
  if (spec.linux?.maskedPaths?.includes(destination)) return '/dev/null';
  if (destination.startsWith('/dev/')) return destination;
  throw new TsrunError(`the checkpoint has a mount at ${destination}, and config.json does not`, {
    about: '/mounts',
    hint: 'restore needs each bind mount that the container had, from whatever source',
  });
}

function demandSource(path: string, destination: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  throw new TsrunError(`the source of the mount at ${destination} is not there: ${path}`, { about: '/mounts' });
}
