import type { ProcessIdentity } from '../host/processes.ts';

/** Where a container's state is. */
export interface Place {
  readonly root: string;
  readonly id: string;
}

/** Tells a process from a later one with its pid. */
export type Identity = ProcessIdentity;

/** A child of this process: a container's init, or a process that exec has started. */
export interface Child {
  readonly pid: number;
  readonly pidfd: number;
  /** Master of its terminal, if it has one and the job was to return it. */
  readonly terminal?: number;
  /** Of a container's init, and of a process of exec's if the job was to tell it. */
  readonly identity?: Identity;
  /** Absolute path of the container's cgroup, if this is its init and it has one. */
  readonly cgroup?: string;
}
