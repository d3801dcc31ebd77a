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

/**
 * In tree order, the paths below one follow it at once, so one pass is enough; `leading` has the paths above the
 * present one.
 */
function findLastMounts(context: Context): LastMounts {
  const on = new Map(mountRequests(context).map(({ destination, index }) => [destination.path, index]));
  const below = new Map<string, number>();
  const leading: string[] = [];
  const leave = () => {
    const path = leading.pop() ?? '';
    const parent = leading.at(-1);
    const last = Math.max(on.get(path) ?? 0, below.get(path) ?? 0);
    if (parent !== undefined) below.set(parent, Math.max(below.get(parent) ?? 0, last));
  };
  for (const path of inTreeOrder([...on.keys()])) {
    while (leading.length > 0 && !path.startsWith(`${leading.at(-1)}/`)) leave();
    leading.push(path);
  }
  while (leading.length > 0) leave();
  return { on, below };
}

/** Sorts with the slash before every other character, by replacing it with NUL, which no path has. */
function inTreeOrder(paths: readonly string[]): string[] {
  const keys = paths.map((path) => path.replaceAll('/', '\0'));
  return keys.sort().map((key) => key.replaceAll('\0', '/'));
}
