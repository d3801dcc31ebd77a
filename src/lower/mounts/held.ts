import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';
import { lastMounts } from './mount-order.ts';
import { mountRequests } from './mount-request.ts';
import { waysTo } from './paths.ts';

/** Directly below the root, where a neighbour with a hand in the same rootfs can rename them. */
const kernelPlaces: readonly string[] = ['/proc', '/sys', '/dev'];

/** Every directory that a mask, a read-only path or a device of the config is below, as it is written there. */
const known = new WeakMap<Context, ReadonlySet<string>>();

/** Whether something later is looked up below this destination of a mount, or the mount is checked before the start. */
export function isHeld(context: Context, destination: string): boolean {
  if (kernelPlaces.includes(destination) || lastMounts(context).below.has(destination)) return true;
  const parents = known.get(context) ?? findParents(context);
  known.set(context, parents);
  return parents.has(destination);
}

function findParents({ linux }: Context): ReadonlySet<string> {
  const { maskedPaths = [], readonlyPaths = [], devices = [] } = linux;
  const parents = new Set<string>();
  for (const path of [...[...maskedPaths, ...readonlyPaths].flatMap(waysTo), ...devices.map(({ path }) => path)]) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end);
      // So are all above it.
      if (parents.has(parent)) break;
      parents.add(parent);
    }
  }
  return parents;
}

/** /proc, /sys and /dev, as far as the config mounts them, are still what was mounted there. */
export function lowerMountCheck(context: Context, { afterHooks = false } = {}): Op[] {
  const mounted = new Set(
    mountRequests(context)
      .filter(({ options }) => !options.remount)
      .map(({ destination }) => destination.path),
  );
  const destinations = kernelPlaces.filter((place) => mounted.has(place));
  if (destinations.length === 0) return [];
  return [{ op: 'check-mounts', by: 'init', from: '/mounts', destinations, afterHooks }];
}

/** What hooks have mounted there is theirs to decide: it is protected in place of the config's mount. */
export function lowerMountsOfHooks(context: Context): Op[] {
  const { prestart = [], createRuntime = [], createContainer = [] } = context.spec.hooks ?? {};
  const mayMount = prestart.length + createRuntime.length + createContainer.length > 0;
  return mayMount ? lowerMountCheck(context, { afterHooks: true }) : [];
}
