import type { State } from '../generated/spec.ts';
import type { SeccompListener } from '../seccomp/listener.ts';
import type { UnitName } from '../systemd/manager.ts';

/**
 * The command that a plan is run for, create or exec. The plan makes things and its owner records them: the executor
 * tells it as soon as there is something that a killed command would leave behind.
 */
export interface PlanOwner {
  /** Called right after the clone, with init's pid (in the runtime's pid namespace). */
  started(pid: number, pidfd: number): void;
  /** The container's state, for hooks and for the agent that gets a seccomp listener. */
  state(): State;
  /**
   * Records what was made for the container, on disk before it returns. Absent in exec, whose plans make nothing of
   * that kind.
   */
  record?(made: Made): void;
}

/** What a plan makes for a container: fields of its record. */
export interface Made {
  /**
   * The cgroup that systemd made with the unit; null: the plan has one, but it is not made yet or this user may not
   * make it.
   */
  readonly cgroup?: string | null;
  readonly unit?: UnitName;
  /** Directories of resctrl that are about to be made, deepest first. */
  readonly resctrl?: readonly string[];
  readonly phase?: 'created';
}

/** Options from the command line that are not in the plan. */
export interface RunOptions {
  /** How many descriptors from 3 on the process inherits. */
  readonly preserveFds: number;
  /** The process's descriptors 0, 1, 2 and so on; absent: it gets this process's own. */
  readonly descriptors?: readonly number[] | undefined;
  /** Sockets that get the terminal's master and a pidfd of the process. */
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  /** runc's name for the kind of init, sent with the pidfd. */
  readonly initType: 'standard' | 'setns';
  /** Directory of compiled seccomp filters. */
  readonly filterCache: string;
  /** Whether the command that creates the container also starts it; the socket to init then stays open. */
  readonly starts: boolean;
  /** Who gets the listener of a filter; null where a filter may not have one, as before start. */
  readonly agent: SeccompListener | null;
  /** Set when this process is a program that uses the library: it goes on even if the plan fails. */
  readonly hosted?: true | undefined;
  /** Notes a process of exec's, which waits until this returns, and then becomes the program. */
  readonly noteProcess?: ((made: PlanProcess) => void) | undefined;
}

/** A process of a plan's. */
export interface PlanProcess {
  readonly pid: number;
  readonly pidfd: number;
  /** The master of its terminal; -1 without a terminal, or when a console socket got it. */
  readonly terminal: number;
}

/** The process that a plan has started. */
export interface Started extends PlanProcess {
  /** Socket to init, which waits for the start; -1 when it waits for another command, or for none. */
  readonly socket: number;
}

/** @throws Error for an op that is only allowed while a container is created */
export function recordIn(owner: PlanOwner, made: Made): void {
  if (owner.record === undefined) throw new Error(`nobody records ${Object.keys(made).join(', ')}`);
  owner.record(made);
}
