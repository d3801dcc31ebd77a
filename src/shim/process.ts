/** What the shim does alike for a task's first process and for one of Exec's. */
import type { ExitStatus } from '../addon.ts';
import type { Io } from './stdio.ts';

/** How a process has ended: the status as a shell has it, and the time in milliseconds since 1970. */
export interface TaskExit {
  readonly status: number;
  readonly at: number;
}

export interface ExecOptions {
  readonly id: string;
  readonly io: Io;
  /** JSON text of the spec's process. */
  readonly process: string;
}

/** 255 is containerd's own for an end that nobody has seen. */
export function statusOf({ code, signal }: ExitStatus): number {
  return code ?? (signal === undefined ? 255 : 128 + signal);
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
  /** Whether containerd has got the event of its exit. */
  readonly isTold: boolean;
  /** Notes that it has. */
  tell(): void;
  /** @param isAgain whether an earlier engine may have done it */
  start(isAgain: boolean): Promise<void>;
  status(): Promise<ProcessStatus>;
  kill(signal: number, all: boolean): Promise<void>;
  closeInput(): void;
  /** @throws Status without a terminal */
  resize(columns: number, rows: number): void;
  /** @throws Status when it runs */
  delete(): Promise<TaskExit>;
}
