import type { ExitStatus } from '../addon.ts';
import type { Op } from '../generated/ops.ts';
import type { Hook } from '../generated/spec.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import type { KeptWeight } from '../linux/cgroup-values.ts';
import type { SeccompListener } from '../seccomp/listener.ts';
import type { UnitName } from '../systemd/manager.ts';

/**
 * The contents of state.json: all that other commands need to know of a container. Create writes it, the rest read it.
 */
export interface ContainerRecord {
  /** Version of this file's layout. */
  readonly version: 1;
  readonly id: string;
  readonly ociVersion: string;
  /** Absolute path. */
  readonly bundle: string;
  /** Absolute path. */
  readonly rootfs: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  /** Name or uid of the user that created it. */
  readonly owner: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** `creating` while create works on it, then `created`, whatever the process does later. */
  readonly phase: 'creating' | 'created';
  /** The create command's own process. If it is gone and the phase is still `creating`, it was killed. */
  readonly creator: ProcessIdentity;
  /**
   * Set when the creator is a program that uses the library and has more to do: it must not be killed for the
   * container.
   */
  readonly hosted?: true;
  /** Set when init waits for another start after one that is killed before its word. */
  readonly waitsAgain?: true;
  /** The init process; absent before the clone. */
  readonly init?: ProcessIdentity;
  /** Absolute path of the cgroup directory; null on a host without cgroup v2. */
  readonly cgroup: string | null;
  /** Whether the cgroup existed before create, so that delete must not remove it (runtime.md, Delete). */
  readonly foreignCgroup?: true;
  /**
   * The systemd unit that the cgroup belongs to; absent if tsrun made the cgroup itself. If there is a unit but no
   * cgroup, create was killed while systemd was about to make the unit, or learned that its name is taken.
   */
  readonly unit?: UnitName;
  /** Rules of the device filter in force, as formatDeviceRule writes them; absent without a filter. */
  readonly devices?: readonly string[] | undefined;
  /** The CPU weight to restore when cpu.idle ends; absent if create's is the last that was given. */
  readonly keptWeight?: KeptWeight | undefined;
  /** Groups of resctrl that create made, in the order to remove them. */
  readonly resctrl?: readonly string[];
  /** Whether the container has its own pid namespace, in which no process outlives init. */
  readonly ownPids: boolean;
  /** How the container ended, if `run --keep` saw it. */
  readonly exit?: ContainerExit;
  /** Hooks that later commands run, kept here because the config may not change after create. */
  readonly hooks: { readonly poststart: readonly Hook[]; readonly poststop: readonly Hook[] };
  /** Who gets the listener of a seccomp filter; null when no listener is needed. */
  readonly seccompListener: SeccompListener | null;
  /** Ops that start lets init run, by index in the plan; start needs them to put a failure into words. */
  readonly startOps: Readonly<Record<string, Op>>;
}

/** How a container ended. */
export interface ContainerExit extends ExitStatus {
  /**
   * Whether the kernel killed a process of the container because memory ran out; absent if no memory controller counts
   * that, null if it can no longer be found out.
   */
  oomKilled?: boolean | null;
}
