import type { Mount } from '../generated/spec.ts';
import type { Context } from './context.ts';
import { type Destination, destinationOf } from './mount-destination.ts';
import { type MountOptions, sortOptions } from './mount-options.ts';

/** One entry of `mounts`, taken apart. */
export interface MountRequest {
  readonly mount: Mount;
  readonly index: number;
  /** JSON pointer of the entry. */
  readonly from: string;
  readonly options: MountOptions;
  readonly destination: Destination;
}

/** Several sections of the plan look at all of them. */
const known = new WeakMap<Context, readonly MountRequest[]>();

/**
 * The entries of `mounts`.
 *
 * @throws TsrunError for a destination that nothing may be mounted on
 */
export function mountRequests(context: Context): readonly MountRequest[] {
  const requests = known.get(context) ?? (context.spec.mounts ?? []).map(requestOf);
  known.set(context, requests);
  return requests;
}

function requestOf(mount: Mount, index: number): MountRequest {
  const from = `/mounts/${index}`;
  const options = sortOptions(mount.options ?? [], from);
  const type = options.bind === undefined && !options.remount ? (mount.type ?? '') : undefined;
  return { mount, index, from, options, destination: destinationOf(mount.destination, type, from) };
}
