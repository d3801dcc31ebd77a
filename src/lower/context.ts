import type { Linux, LinuxNamespace, NamespaceType, Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import { hasCapability } from '../linux/capabilities.ts';
import type { Warning } from '../plan/plan.ts';

/**
 * Who makes the cgroup. `cgroupfs`: tsrun itself. `systemd`: systemd, and linux.cgroupsPath is then slice:prefix:name.
 * `disabled`: no one; the container stays in the caller's cgroup.
 */
export const cgroupManagers = ['cgroupfs', 'systemd', 'disabled'] as const;
export type CgroupManager = (typeof cgroupManagers)[number];

/** What the command line adds to the config. */
export interface LowerOptions {
  readonly id: string;
  /** Absolute path of the bundle. */
  readonly bundle: string;
  readonly pidFile?: string | undefined;
  /** MS_MOVE and chroot instead of pivot_root. */
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
  /** Whether the cgroup may be missing when no limit is asked for; auto: only for ordinary users. */
  readonly rootless?: 'true' | 'false' | 'auto';
  /** Who makes the cgroup (default: cgroupfs). */
  readonly cgroupManager?: CgroupManager;
  /** How many descriptors from 3 on the container keeps. */
  readonly preserveFds?: number;
  /**
   * Makes the root filesystem ID-mapped, as the option idmap does to a bind mount; for a user namespace of the
   * container.
   */
  readonly mapRootfs?: boolean;
  /** Variables that the runtime itself adds to process.env. */
  readonly env?: readonly string[];
  /** Absolute path of the directory in which start makes the container's sd_notify socket. */
  readonly notifyDirectory?: string | undefined;
  /** Whether a start that is killed before its word leaves the container to another, as its caller comes back. */
  readonly waitsAgain?: boolean;
  /** Returns the integer at a JSON pointer exactly as config.json has it, for numbers that JSON.parse rounds. */
  readonly exactInteger?: (pointer: string) => bigint | undefined;
}

/** What the lowering of every section gets. */
export interface Context {
  readonly spec: Spec;
  readonly linux: Linux;
  /** The config's namespaces, parsed once because dozens of places ask for them. */
  readonly namespaces: Namespaces;
  readonly host: HostFacts;
  readonly options: LowerOptions;
  /** What the container does not get although the user would expect it. */
  readonly warnings: Warning[];
  /** The same where it is usual: for an unprivileged caller, in a container, or as asked for. */
  readonly notes: Warning[];
}

/** A namespace entry of the config, and its place. */
export interface NamespaceEntry {
  readonly entry: LinuxNamespace;
  readonly from: string;
}
export type Namespaces = Partial<Record<NamespaceType, NamespaceEntry>>;

/** For a type that is listed twice, which validation refuses, the first entry counts. */
export function namespacesOf({ namespaces = [] }: Linux): Namespaces {
  const found: Namespaces = {};
  namespaces.forEach((entry, index) => {
    found[entry.type] ??= { entry, from: `/linux/namespaces/${index}` };
  });
  return found;
}

/** 2^64 - 1: RLIM_INFINITY and the like. JSON.parse turns it into 2^64, which is no uint64. */
const maxUint64 = 2n ** 64n - 1n;

/** The config's integer that JSON.parse read as `value`, and rounded if above 2^53. */
export function exactInteger({ options }: Context, pointer: string, value: number): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  const exact = options.exactInteger?.(pointer) ?? BigInt(value);
  return exact > maxUint64 ? maxUint64 : exact;
}

/** The config's entry for a namespace, with its place; undefined when the container shares the runtime's namespace. */
export function namespaceOf({ namespaces }: Context, type: NamespaceType): NamespaceEntry | undefined {
  return namespaces[type];
}

/** Whether the container gets a new namespace of its own (not one joined by path). */
export function hasNew(context: Context, type: NamespaceType): boolean {
  const found = namespaceOf(context, type);
  return found !== undefined && !found.entry.path;
}

/** Whether the runtime has power over the host's own mounts and filesystems (CAP_SYS_ADMIN). */
export function isPrivileged({ host }: Context): boolean {
  return hasCapability(host.capabilities, 'CAP_SYS_ADMIN');
}

/**
 * Whether an ordinary user runs the runtime, or root in a container: fewer things are possible then, and no one expects
 * more.
 */
export function isOrdinaryUser(context: Context): boolean {
  const { host } = context;
  return host.uid !== 0 || !host.initialUserNamespace || !isPrivileged(context);
}

/** Whether device nodes cannot be made here. */
export function isInUserNamespace(context: Context): boolean {
  return namespaceOf(context, 'user') !== undefined || !context.host.initialUserNamespace;
}

/** Whether the container has only the host's mount namespace: every mount of its own would be the host's, too. */
export function sharesMounts(context: Context): boolean {
  return namespaceOf(context, 'mount') === undefined;
}

/** Whether the runtime opens mounts for init, whose user namespace may not reach them. */
export function opensTrees(context: Context): boolean {
  if (namespaceOf(context, 'user') === undefined || sharesMounts(context)) return false;
  return isPrivileged(context) && context.host.ownsMounts;
}

/** Whether the container joins an existing namespace. */
export function isJoined(context: Context, type: NamespaceType): boolean {
  return Boolean(namespaceOf(context, type)?.entry.path);
}

/**
 * Whether one clone3 is not enough. A user namespace must be there first, so that it owns the others, and its mappings
 * are written from outside. A joined pid namespace and a new time namespace apply only to children, and the process
 * that forks must not be the first of the pid namespace.
 */
export function needsMoreThanClone(context: Context): boolean {
  return namespaceOf(context, 'user') !== undefined || isJoined(context, 'pid') || hasNew(context, 'time');
}
