import { isFrozen } from '../cgroup/freezer.ts';
import { ownPids } from '../cgroup/processes.ts';
import type { State, Status } from '../generated/spec.ts';
import { isAlive } from '../host/processes.ts';
import { wasOomKilled } from './oom.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerDirectory } from './store.ts';

/** runtime.md, State, derived from what is there now; nothing is written when a container ends by itself. */
export function statusOf(directory: ContainerDirectory, record: ContainerRecord): Status {
  if (record.phase === 'creating') return isBeingCreated(record) || isBeingUnmade(record) ? 'creating' : 'stopped';
  // Asked first: delete removes the socket too, but of a container that has ended before.
  const waits = directory.waitsForStart();
  if (record.init === undefined || !isAlive(record.init)) return 'stopped';
  // As in runc, before the difference between created and running: neither goes on before resume.
  if (record.cgroup !== null && isFrozen(record.cgroup)) return 'paused';
  return waits ? 'created' : 'running';
}

/** False too of one whose create was killed. */
export function isBeingCreated({ phase, creator }: ContainerRecord): boolean {
  return phase === 'creating' && isAlive(creator);
}

/**
 * Whether something runs of a container whose create was killed: init ends by itself at its next word to that, some
 * milliseconds later. Before the record knows init, its cgroup does.
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

/** What `state` and `list` print: the spec's state and runc's additions. */
export interface PrintedState extends State {
  rootfs: string;
  created: string;
  owner: string;
  /**
   * Of a stopped container: true when the kernel has killed a process of it for want of memory; null when nobody can tell
   * any more, as systemd has removed its scope; else absent.
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
