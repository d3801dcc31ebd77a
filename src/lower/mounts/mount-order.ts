import type { Context } from '../context.ts';
import { mountRequests } from './mount-request.ts';

/**
 * For each destination, the index of the last entry of `mounts` that is mounted there, and of the last one below it.
 */
export interface LastMounts {
  readonly on: ReadonlyMap<string, number>;
  /** Only has destinations of entries. */
  readonly below: ReadonlyMap<string, number>;
}

/** Cached, because every read-only tmpfs asks for it. */
const known = new WeakMap<Context, LastMounts>();

export function lastMounts(context: Context): LastMounts {
  const before = known.get(context);
  if (before !== undefined) return before;
  const found = findLastMounts(context);
  known.set(context, found);
  return found;
}

/** A directory on the way to a destination. */
interface Place {
  /** Index of the last entry below it. */
  below: number | undefined;
  readonly inner: Map<string, Place>;
}

/** One walk down for each entry, over a tree of names: comparing all destinations with each other would take hours. */
function findLastMounts(context: Context): LastMounts {
  const on = new Map<string, number>();
  const places = new Map<string, Place>();
  const root: Place = { below: undefined, inner: new Map() };
  for (const { destination, index } of mountRequests(context)) {
    const { path } = destination;
    on.set(path, index);
    let place = root;
    // Destinations are absolute and normal: the first part is empty.
    const names = path.split('/');
    for (let i = 1; i < names.length; i++) {
      // Later entries have larger numbers.
      place.below = index;
      place = innerPlace(place, names[i] as string);
    }
    places.set(path, place);
  }
  const below = new Map<string, number>();
  for (const [path, place] of places) if (place.below !== undefined) below.set(path, place.below);
  return { on, below };
}

function innerPlace({ inner }: Place, name: string): Place {
  const known = inner.get(name);
  if (known !== undefined) return known;
  const made: Place = { below: undefined, inner: new Map() };
  inner.set(name, made);
  return made;
}
