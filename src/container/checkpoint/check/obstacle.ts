/** Something in a container that a checkpoint would not bring back. */
export interface Obstacle {
  /** A name that never changes. */
  readonly rule: string;
  readonly message: string;
  /** The flag or change that helps. */
  readonly hint?: string | undefined;
  /** In the caller's pid namespace; only for an obstacle about one process. */
  readonly pid?: number;
}

/** An obstacle with what the report leaves out. */
export interface FoundObstacle extends Obstacle {
  /** Tells an open file from others, if it can: several processes may have it. */
  readonly file?: string | undefined;
}

/** Errors stop the checkpoint; warnings are only worth knowing. */
export interface Found {
  readonly errors: readonly Obstacle[];
  readonly warnings: readonly Obstacle[];
}
