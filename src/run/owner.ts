import type { State } from '../generated/spec.ts';
import type { SeccompListener } from '../seccomp/listener.ts';
import type { UnitName } from '../systemd/manager.ts';

/**
 * The command that a plan is run for, create or exec. The plan makes things, and its owner remembers them: the executor tells
 * it as soon as there is something that a killed command would leave behind.
 */
export interface PlanOwner {
  /** Called right after the clone, with init's pid (in the runtime's pid namespace). */
  started(pid: number, pidfd: number): void;
  /** The container's state, for hooks and for the agent that gets a seccomp listener. */
  state(): State;
  /** Keeps what was made of the container, on disk before it returns. Absent in exec, whose plans make none. */
  record?(made: Made): void;
}

/** What a plan makes of a container: fields of its record. */
export interface Made {
  /** The cgroup that systemd has made with the unit, or null: the plan has one, but this user may make none. */
  readonly cgroup?: string | null;
  readonly unit?: UnitName;
  /** Directories of resctrl that are about to be made, the deepest first. */
  readonly resctrl?: readonly string[];
  readonly phase?: 'created';
}

/** What is said on the command line, and stands in no plan. */
export interface RunOptions {
  /** How many descriptors from 3 on the process inherits. */
  readonly preserveFds: number;
  /** What it has at 0, 1, 2 and so on; absent: what this process has there. */
  readonly descriptors?: readonly number[] | undefined;
  /** Sockets that get the terminal's master and a pidfd of the process. */
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  /** What runc calls init, and sends with the pidfd. */
  readonly initType: 'standard' | 'setns';
  /** Directory of compiled seccomp filters. */
  readonly filterCache: string;
  /** Whether the same command starts the container that it creates: then the socket to init stays open for that. */
  readonly starts: boolean;
  /** Who gets the listener of a filter; null where no filter may have one, as before start. */
  readonly agent: SeccompListener | null;
  /** This process is a program that uses the library, and goes on whatever comes of the plan. */
  readonly hosted?: true | undefined;
}

/** The process that a plan has started. */
export interface Started {
  readonly pid: number;
  readonly pidfd: number;
  /** The master of its terminal, or -1 when there is none or a console socket got it. */
  readonly terminal: number;
  /** To init, which waits for the start; -1 when it waits for another command, or for none. */
  readonly socket: number;
}

/** @throws Error for an op that only a container's creation may have */
export function recordIn(owner: PlanOwner, made: Made): void {
  if (owner.record === undefined) throw new Error(`nobody records ${Object.keys(made).join(', ')}`);
  owner.record(made);
}
