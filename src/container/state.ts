import { isFrozen } from '../cgroup/freezer.ts';
import { ownPids } from '../cgroup/processes.ts';
import type { State, Status } from '../generated/spec.ts';
import { isAlive } from '../host/processes.ts';
import { wasOomKilled } from './oom.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerDirectory } from './store.ts';

/** runtime.md, State: derived from what exists now, because nothing is written when a container ends by itself. */
export function statusOf(directory: ContainerDirectory, record: ContainerRecord): Status {
  if (record.phase === 'creating') return isBeingCreated(record) || isBeingUnmade(record) ? 'creating' : 'stopped';
  // Asked first: delete removes the socket, too, but only after the container has ended.
  const waits = directory.waitsForStart();
  if (record.init === undefined || !isAlive(record.init)) return 'stopped';
  // As in runc, paused counts before created and running: neither goes on before resume.
  if (record.cgroup !== null && isFrozen(record.cgroup)) return 'paused';
  return waits ? 'created' : 'running';
}

/** False if create was killed. */
export function isBeingCreated({ phase, creator }: ContainerRecord): boolean {
  return phase === 'creating' && isAlive(creator);
}

/**
 * Whether a container whose create was killed still has a process. Init ends by itself some milliseconds later, at its
 * next message to create. Until the record knows init, the cgroup tells.
 */
function isBeingUnmade({ init, cgroup, foreignCgroup }: ContainerRecord): boolean {
  if (init !== undefined) return isAlive(init);
  return cgroup !== null && foreignCgroup !== true && ownPids(cgroup).length > 0;
}

/** The JSON that hooks get on stdin (runtime.md, State). */
export function hookState(record: ContainerRecord, status: Status): State {
  return {
    ociVersion: record.ociVersion,
    id: record.id,
    status,
    pid: status === 'stopped' ? 0 : (record.init?.pid ?? 0),
    bundle: record.bundle,
    annotations: record.annotations,
  };
}

/** What `state` and `list` print: the spec's state, and what runc adds. */
export interface PrintedState extends State {
  rootfs: string;
  created: string;
  owner: string;
  /**
   * Only for a stopped container: true when the kernel has killed a process of it because memory ran out; null when
   * that can no longer be found out, because systemd has removed its scope; else absent.
   */
  oomKilled?: true | null;
}

export function printedState(directory: ContainerDirectory, record: ContainerRecord): PrintedState {
  const { ociVersion, id, status, pid, bundle, annotations } = hookState(record, statusOf(directory, record));
  const { rootfs, created, owner } = record;
  const oomKilled = status === 'stopped' ? (record.exit?.oomKilled ?? wasOomKilled(record)) : false;
  return {
    ociVersion,
    id,
    pid: pid ?? 0,
    status,
    bundle,
    rootfs,
    created,
    annotations: annotations ?? {},
    owner,
    ...((oomKilled || oomKilled === null) && { oomKilled }),
  };
}
