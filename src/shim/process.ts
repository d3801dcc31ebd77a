/** What the shim does alike for a task's first process and for one of Exec's. */
import type { Io } from './stdio.ts';

/** How a process has ended: the status as a shell has it, and the time in milliseconds since 1970. */
export interface TaskExit {
  readonly status: number;
  readonly at: number;
}

export type ProcessStatus = 'created' | 'running' | 'paused' | 'stopped';

export interface ShimProcess {
  /** The task's id, or exec's. */
  readonly id: string;
  /** 0 before the start of one of Exec's. */
  readonly pid: number;
  readonly io: Io;
  readonly ended: Promise<TaskExit>;
  readonly exit: TaskExit | undefined;
  /** Settles, and never rejects, when start is over and told. */
  starting: Promise<void> | undefined;
  start(): Promise<void>;
  status(): Promise<ProcessStatus>;
  kill(signal: number, all: boolean): Promise<void>;
  closeInput(): void;
  /** @throws Status without a terminal */
  resize(columns: number, rows: number): void;
  /** @throws Status when it runs */
  delete(): Promise<TaskExit>;
}
