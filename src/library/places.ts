/** Where a container's state is. */
export interface Place {
  readonly root: string;
  readonly id: string;
}

/** A process that this one is the parent of: a container's init, or one of exec's. */
export interface Child {
  readonly pid: number;
  readonly pidfd: number;
}
