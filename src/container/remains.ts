/**
 * Finds what to end and remove of a container whose record cannot be used. A copy of what delete needs stands beside
 * the record, as the text of a symbolic link (one call makes all of it or nothing). A later version's record has the
 * same names for it: these names and their meaning must stay.
 */
import type { Spec } from '../generated/spec.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import type { ContainerRecord } from './record.ts';

export type Remains = Pick<ContainerRecord, 'bundle' | 'cgroup' | 'foreignCgroup' | 'unit' | 'resctrl'> & {
  readonly init: ProcessIdentity;
};

/** Undefined before there is an init process: if create ends then, it leaves nothing running. */
export function remainsText(record: ContainerRecord): string | undefined {
  const { init, bundle, cgroup, foreignCgroup, unit, resctrl } = record;
  return init === undefined ? undefined : JSON.stringify({ init, bundle, cgroup, foreignCgroup, unit, resctrl });
}

/** Undefined when the text is incomplete. */
export function parseRemains(text: string): Remains | undefined {
  try {
    return asRemains(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Undefined when this version does not know some part of it: then none of it can be relied on. */
export function asRemains(value: unknown): Remains | undefined {
  const { init, bundle, cgroup, foreignCgroup, unit, resctrl } = (value ?? {}) as Partial<Remains>;
  const isKnown =
    Number.isSafeInteger(init?.pid) &&
    Number.isSafeInteger(init?.startTime) &&
    isPath(bundle) &&
    (cgroup === null || isPath(cgroup)) &&
    (foreignCgroup === undefined || foreignCgroup === true) &&
    (unit === undefined || (typeof unit.name === 'string' && typeof unit.user === 'boolean')) &&
    (resctrl === undefined || (Array.isArray(resctrl) && resctrl.every(isPath)));
  return isKnown ? (value as Remains) : undefined;
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/');
}

/**
 * Makes a record that delete can work with.
 *
 * @param config as it was at create; undefined if it cannot be read, and then no poststop hook is known
 */
export function recoveredRecord(id: string, remains: Remains, config: Spec | undefined): ContainerRecord {
  const { init, bundle, cgroup, foreignCgroup, unit, resctrl } = remains;
  return {
    version: 1,
    id,
    ociVersion: config?.ociVersion ?? '',
    bundle,
    rootfs: '',
    created: '',
    owner: '',
    annotations: config?.annotations ?? {},
    phase: 'created',
    creator: init,
    init,
    cgroup,
    ...(foreignCgroup && { foreignCgroup }),
    ...(unit && { unit }),
    ...(resctrl && { resctrl }),
    ownPids: false,
    hooks: { poststart: [], poststop: config?.hooks?.poststop ?? [] },
    seccompListener: null,
    startOps: {},
  };
}
