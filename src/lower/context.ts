import type { Linux, LinuxNamespace, NamespaceType, Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Warning } from '../plan/plan.ts';

/**
 * `cgroupfs`: tsrun itself. `systemd`: linux.cgroupsPath is then slice:prefix:name. `disabled`: nobody, so that the
 * container stays in the caller's.
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
  /** Whether the cgroup may be missing when no limit is asked for; auto: for ordinary users. */
  readonly rootless?: 'true' | 'false' | 'auto';
  /** Who makes the cgroup (default: cgroupfs). */
  readonly cgroupManager?: CgroupManager;
  /** How many descriptors from 3 on the container keeps. */
  readonly preserveFds?: number;
  /** The root filesystem is ID-mapped, as a bind mount with the option idmap is: for a user namespace of the container's. */
  readonly mapRootfs?: boolean;
  /** What the runtime itself adds to process.env. */
  readonly env?: readonly string[];
  /** Absolute path of the directory in which start makes the container's socket for sd_notify. */
  readonly notifyDirectory?: string | undefined;
  /** The integer at a JSON pointer as config.json has it, for numbers that JSON.parse rounds. */
  readonly exactInteger?: (pointer: string) => bigint | undefined;
}

/** What every section's lowering gets. */
export interface Context {
  readonly spec: Spec;
  readonly linux: Linux;
  /** The config's, which dozens of places ask for. */
  readonly namespaces: Namespaces;
  readonly host: HostFacts;
  readonly options: LowerOptions;
  /** What the container does not get, and nobody would expect. */
  readonly warnings: Warning[];
  /** The same where it is as usual here: of a caller without privileges, in a container, or asked for. */
  readonly notes: Warning[];
}

/** An entry of the config and its place. */
export interface NamespaceEntry {
  readonly entry: LinuxNamespace;
  readonly from: string;
}
export type Namespaces = Partial<Record<NamespaceType, NamespaceEntry>>;

/** Of a type that is listed twice, which validation refuses, the first. */
export function namespacesOf({ namespaces = [] }: Linux): Namespaces {
  const found: Namespaces = {};
  namespaces.forEach((entry, index) => {
    found[entry.type] ??= { entry, from: `/linux/namespaces/${index}` };
  });
  return found;
}

/** 2^64 - 1: RLIM_INFINITY and the like. JSON.parse makes 2^64 of it, which no uint64 can be. */
const maxUint64 = 2n ** 64n - 1n;

/** The integer of the config that JSON.parse read as `value`, which above 2^53 is rounded. */
export function exactInteger({ options }: Context, pointer: string, value: number): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  const exact = options.exactInteger?.(pointer) ?? BigInt(value);
  return exact > maxUint64 ? maxUint64 : exact;
}

/** The config's entry for a namespace, with its place; undefined when the container shares the runtime's. */
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
  const sysAdmin = 1n << 21n;
  return (host.capabilities & sysAdmin) !== 0n;
}

/** Whether the runtime is an ordinary user's, or of root in a container: less is to be had, and nobody expects more. */
export function isOrdinaryUser(context: Context): boolean {
  const { host } = context;
  return host.uid !== 0 || !host.initialUserNamespace || !isPrivileged(context);
}

/** Where nobody can make a device node. */
export function isInUserNamespace(context: Context): boolean {
  return namespaceOf(context, 'user') !== undefined || !context.host.initialUserNamespace;
}

/** Whether the container has no mount namespace but the host's: whatever it mounts, the host has mounted. */
export function sharesMounts(context: Context): boolean {
  return namespaceOf(context, 'mount') === undefined;
}

/** Whether the runtime can open mounts for init, which in a user namespace of its own may reach less. */
export function opensTrees(context: Context): boolean {
  if (namespaceOf(context, 'user') === undefined || sharesMounts(context)) return false;
  return isPrivileged(context) && context.host.ownsMounts;
}

/** Whether the container joins a namespace that is there already. */
export function isJoined(context: Context, type: NamespaceType): boolean {
  return Boolean(namespaceOf(context, type)?.entry.path);
}
