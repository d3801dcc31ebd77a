import type { Mount } from '../../generated/spec.ts';
import { attr } from '../../linux/mount-constants.ts';
import type { Context } from '../context.ts';
import { isUnfiltered } from '../limits/unfiltered.ts';
import { type Destination, destinationOf } from './mount-destination.ts';
import { type MountOptions, sortOptions } from './mount-options.ts';

/** One entry of `mounts`, parsed. */
export interface MountRequest {
  readonly mount: Mount;
  readonly index: number;
  /** JSON pointer of the entry. */
  readonly from: string;
  readonly options: MountOptions;
  readonly destination: Destination;
}

/** Cached, because several sections of the plan look at all of them. */
const known = new WeakMap<Context, readonly MountRequest[]>();

/**
 * Parses the entries of `mounts`.
 *
 * @throws TsrunError for a destination where nothing may be mounted
 */
export function mountRequests(context: Context): readonly MountRequest[] {
  const requests = known.get(context) ?? requestsOf(context);
  known.set(context, requests);
  return requests;
}

function requestsOf(context: Context): MountRequest[] {
  const requests = (context.spec.mounts ?? []).map(requestOf);
  if (isUnfiltered(context)) for (const request of requests) withholdDevices(request);
  return requests;
}

/** Adds nodev unless the config says dev; a mount at /dev is there for its devices. */
function withholdDevices({ options, destination: { path } }: MountRequest): void {
  if (path === '/dev' || path.startsWith('/dev/')) return;
  if ((options.own.clear & attr.nodev) === 0) options.own.set |= attr.nodev;
  if (options.bind === 'rbind' && (options.recursive.clear & attr.nodev) === 0) options.recursive.set |= attr.nodev;
}

function requestOf(mount: Mount, index: number): MountRequest {
  const from = `/mounts/${index}`;
  const options = sortOptions(mount.options ?? [], from);
  const type = options.bind === undefined && !options.remount ? (mount.type ?? '') : undefined;
  return { mount, index, from, options, destination: destinationOf(mount.destination, type, from) };
}
