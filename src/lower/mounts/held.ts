import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';
import { lastMounts } from './mount-order.ts';
import { mountRequests } from './mount-request.ts';
import { waysTo } from './paths.ts';

/** Directly below the root, where another container with access to the same rootfs can rename them. */
const kernelPlaces: readonly string[] = ['/proc', '/sys', '/dev'];

/** Every directory above a mask, a read-only path or a device of the config, spelled as in the config. */
const known = new WeakMap<Context, ReadonlySet<string>>();

/**
 * Whether the mount at this destination is needed later: something below it is looked up, or it is checked before the
 * start.
 */
export function isHeld(context: Context, destination: string): boolean {
  if (kernelPlaces.includes(destination) || lastMounts(context).below.has(destination)) return true;
  let parents = known.get(context);
  if (parents === undefined) {
    parents = findParents(context);
    known.set(context, parents);
  }
  return parents.has(destination);
}

function findParents({ linux }: Context): ReadonlySet<string> {
  const { maskedPaths = [], readonlyPaths = [], devices = [] } = linux;
  const parents = new Set<string>();
  for (const path of [...[...maskedPaths, ...readonlyPaths].flatMap(waysTo), ...devices.map(({ path }) => path)]) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end);
      // All directories above it are in the set, too.
      if (parents.has(parent)) break;
      parents.add(parent);
    }
  }
  return parents;
}

/** Checks that those of /proc, /sys and /dev which the config mounts are still what was mounted there. */
export function lowerMountCheck(context: Context, { afterHooks = false } = {}): Op[] {
  const destinations = kernelPlaces.filter((place) => isMounted(context, place));
  if (destinations.length === 0) return [];
  return [{ op: 'check-mounts', by: 'init', from: '/mounts', destinations, afterHooks }];
}

function isMounted(context: Context, place: string): boolean {
  return mountRequests(context).some(({ options, destination }) => destination.path === place && !options.remount);
}

/** Hooks may mount something else there: that is then protected instead of the config's mount. */
export function lowerMountsOfHooks(context: Context): Op[] {
  const { prestart = [], createRuntime = [], createContainer = [] } = context.spec.hooks ?? {};
  const mayMount = prestart.length + createRuntime.length + createContainer.length > 0;
  return mayMount ? lowerMountCheck(context, { afterHooks: true }) : [];
}
