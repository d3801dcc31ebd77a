import type { ExitStatus } from '../addon.ts';
import type { Op } from '../generated/ops.ts';
import type { Hook } from '../generated/spec.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import type { KeptWeight } from '../linux/cgroup-values.ts';
import type { SeccompListener } from '../seccomp/listener.ts';
import type { UnitName } from '../systemd/manager.ts';

/** What state.json holds: all that other commands need of a container. Written by create, read by the rest. */
export interface ContainerRecord {
  /** Of this file's layout. */
  readonly version: 1;
  readonly id: string;
  readonly ociVersion: string;
  /** Absolute path. */
  readonly bundle: string;
  /** Absolute path. */
  readonly rootfs: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  /** User name or uid of who created it. */
  readonly owner: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** `creating` while create works on it; then `created`, whatever became of the process since. */
  readonly phase: 'creating' | 'created';
  /** The create command's own process: when it is gone and the phase is still `creating`, it was killed. */
  readonly creator: ProcessIdentity;
  /** The creator is a program that uses the library, and has more to do than this: it is not ended for the container. */
  readonly hosted?: true;
  /** The init process; absent before the clone. */
  readonly init?: ProcessIdentity;
  /** Absolute path of the cgroup directory; null on a host without cgroup v2. */
  readonly cgroup: string | null;
  /** Whether the cgroup was there before create, so that it is not delete's to remove (runtime.md, Delete). */
  readonly foreignCgroup?: true;
  /**
   * The systemd unit that the cgroup belongs to; absent where tsrun has made the cgroup itself. Without a cgroup, create
   * was killed while systemd was about to make the unit, or heard that another has its name.
   */
  readonly unit?: UnitName;
  /** Rules of the device filter in force, as formatDeviceRule writes them; absent where there is no filter. */
  readonly devices?: readonly string[] | undefined;
  /** The CPU weight that comes back when cpu.idle ends; absent where create's is the last that was given. */
  readonly keptWeight?: KeptWeight | undefined;
  /** Groups of resctrl that create made, in the order of their removal. */
  readonly resctrl?: readonly string[];
  /** Whether the container has a pid namespace of its own, in which no process outlives init. */
  readonly ownPids: boolean;
  /** How it ended, where `run --keep` saw it. */
  readonly exit?: ContainerExit;
  /** Hooks of later commands: the config may not change after create. */
  readonly hooks: { readonly poststart: readonly Hook[]; readonly poststop: readonly Hook[] };
  /** Who gets the listener of a seccomp filter; null when it needs none. */
  readonly seccompListener: SeccompListener | null;
  /** Ops that start lets init run, by index in the plan, so that start can put their failure into words. */
  readonly startOps: Readonly<Record<string, Op>>;
}

/** How a container ended. */
export interface ContainerExit extends ExitStatus {
  /**
   * Whether the kernel killed a process of it for want of memory; absent where no memory controller counts that, and null
   * where it cannot be told any more.
   */
  oomKilled?: boolean | null;
}
