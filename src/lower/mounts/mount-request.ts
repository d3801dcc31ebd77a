import type { Mount } from '../../generated/spec.ts';
import { attr } from '../../linux/mount-constants.ts';
import { type Context, opensTrees } from '../context.ts';
import { isUnfiltered } from '../limits/unfiltered.ts';
import { type Destination, destinationOf } from './mount-destination.ts';
import { type AttributeChange, areShareable, type MountOptions, sortOptions } from './mount-options.ts';

/** One entry of `mounts`, parsed. */
export interface MountRequest {
  readonly mount: Mount;
  readonly index: number;
  /** JSON pointer of the entry. */
  readonly from: string;
  readonly options: MountOptions;
  readonly destination: Destination;
  /** Mappings without the option also ask for an ID-mapped mount (config.md, uidMappings). */
  readonly isMapped: boolean;
  /** Slot of the tree that the runtime opens for a bind mount; null when init opens it itself. */
  readonly slot: string | null;
}

/** Cached, because several sections of the plan look at all of them. */
const known = new WeakMap<Context, readonly MountRequest[]>();

/**
 * Parses the entries of `mounts`.
 *
 * @throws TsrunError for a destination where nothing may be mounted
 */
export function mountRequests(context: Context): readonly MountRequest[] {
  const found = known.get(context);
  if (found !== undefined) return found;
  const requests = requestsOf(context);
  known.set(context, requests);
  return requests;
}

function requestsOf(context: Context): MountRequest[] {
  const opens = opensTrees(context);
  const shared: SharedOptions = new Map();
  const requests = (context.spec.mounts ?? []).map((mount, index) => requestOf(mount, index, opens, shared));
  return isUnfiltered(context) ? requests.map(withholdDevices) : requests;
}

/** Adds nodev unless the config says dev; a mount at /dev is there for its devices. */
function withholdDevices(request: MountRequest): MountRequest {
  const { options, destination } = request;
  if (destination.path === '/dev' || destination.path.startsWith('/dev/')) return request;
  const own = withNodev(options.own);
  const recursive = options.bind === 'rbind' ? withNodev(options.recursive) : options.recursive;
  return { ...request, options: { ...options, own, recursive } };
}

function withNodev(change: AttributeChange): AttributeChange {
  return (change.clear & attr.nodev) === 0 ? { ...change, set: change.set | attr.nodev } : change;
}

/** By the list of options: hundreds of mounts often have the same one. */
type SharedOptions = Map<string, MountOptions>;

function optionsOf({ options = [] }: Mount, from: string, shared: SharedOptions): MountOptions {
  // No string of a config has a NUL.
  const key = options.join('\0');
  const known = shared.get(key);
  if (known !== undefined) return known;
  const sorted = sortOptions(options, from);
  if (areShareable(sorted)) shared.set(key, sorted);
  return sorted;
}

function requestOf(mount: Mount, index: number, opens: boolean, shared: SharedOptions): MountRequest {
  const from = `/mounts/${index}`;
  const options = optionsOf(mount, from, shared);
  const type = options.bind === undefined && !options.remount ? (mount.type ?? '') : undefined;
  const destination = destinationOf(mount.destination, type, from);
  const isMapped = options.idmap !== undefined || hasMappings(mount);
  const isOpened = (opens || isMapped) && options.bind !== undefined && !options.remount;
  return { mount, index, from, options, destination, isMapped, slot: isOpened ? `mount-${index}` : null };
}

export function hasMappings({ uidMappings, gidMappings }: Mount): boolean {
  return (uidMappings?.length ?? 0) > 0 || (gidMappings?.length ?? 0) > 0;
}
