/**
 * What is left to end and remove of a container whose record cannot be used: a copy of what delete needs stands beside it,
 * as the text of a symbolic link (made whole or not at all, in one call), and a later version's record has the same names
 * for it. These names and their meaning must stay.
 */
import type { Spec } from '../generated/spec.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import type { ContainerRecord } from './record.ts';

export type Remains = Pick<ContainerRecord, 'bundle' | 'cgroup' | 'foreignCgroup' | 'unit' | 'resctrl'> & {
  readonly init: ProcessIdentity;
};

/** Undefined before there is an init process: a create that ends then leaves nothing that runs. */
export function remainsText(record: ContainerRecord): string | undefined {
  const { init, bundle, cgroup, foreignCgroup, unit, resctrl } = record;
  return init === undefined ? undefined : JSON.stringify({ init, bundle, cgroup, foreignCgroup, unit, resctrl });
}

/** Undefined when it is not whole. */
export function parseRemains(text: string): Remains | undefined {
  try {
    return asRemains(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Undefined when something in it is not what this version knows: then it cannot be relied on. */
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
 * A record that delete can work with.
 *
 * @param config as it was at create, undefined when it cannot be read: then no poststop hook is known
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
