/** Something of a container that a checkpoint would not bring back. */
export interface Obstacle {
  /** A name that stays. */
  readonly rule: string;
  readonly message: string;
  /** The flag or change that helps. */
  readonly hint?: string | undefined;
  /** In the caller's pid namespace, where it is about one process. */
  readonly pid?: number;
}

/** What stands in the way, and what is only to be known. */
export interface Found {
  readonly errors: readonly Obstacle[];
  readonly warnings: readonly Obstacle[];
}
