import { statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { errorCode } from '../errors.ts';
import type { SeccompFlag } from '../generated/spec.ts';
import { flags as seccompFlagTable } from '../linux/seccomp.ts';
import { isAbsent, isThere, readIfThere } from '../there.ts';
import { type ResctrlFacts, resctrlFacts } from './resctrl.ts';

/** Where cgroup v2 lives on this host. */
export interface CgroupFacts {
  /** unified: cgroup2 at /sys/fs/cgroup; hybrid: beside v1 controllers; none: no cgroup2 anywhere. */
  readonly mode: 'unified' | 'hybrid' | 'none';
  /** Mount point of cgroup2; null when there is none. */
  readonly mount: string | null;
  /** Options of the hierarchy itself, which all its mounts share: nsdelegate, memory_recursiveprot, … */
  readonly options: readonly string[];
  /** Controllers the v2 hierarchy has (cgroup.controllers of its root as mounted). */
  readonly controllers: readonly string[];
  /** Where each controller is that cgroup v1 holds, by v1's names: such a controller cannot be on v2. */
  readonly v1Controllers: Readonly<Record<string, string>>;
  /** This process's own cgroup, relative to the mount, with a leading slash. */
  readonly own: string;
  /** Where containers' cgroups go that have no absolute path, as `own` is written. */
  readonly parent: string;
}

/** Which security modules are enabled. */
export interface LsmFacts {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

/**
 * Everything lowering may know of the host; gathered only here, so that lowering stays pure. What few containers need is
 * looked up when it is first asked for, and once (docs/architecture.md lists these).
 */
export interface HostFacts {
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  /** process.arch: 'x64', 'arm64', … */
  readonly arch: string;
  readonly uid: number;
  readonly gid: number;
  /** False inside a user namespace, where uid 0 is somebody else outside. */
  readonly initialUserNamespace: boolean;
  /** False in a user namespace whose mounts belong to one above: `unshare --user` without `--mount`. */
  readonly ownsMounts: boolean;
  /**
   * The uid of the ordinary user whose own systemd is to be asked, as that knows it; undefined: the system's. Root of a
   * user namespace is such a user (rootless podman), unless it is a machine's root by its own account.
   */
  readonly systemdUser: number | undefined;
  /** Capabilities the runtime may hand out, as a bit set (CapPrm and CapBnd of proc_pid_status(5)). */
  readonly capabilities: bigint;
  /** Number of the kernel's last capability. */
  readonly lastCapability: number;
  readonly lsm: LsmFacts;
  /** null when it is not mounted. */
  readonly resctrl: ResctrlFacts | null;
  readonly cgroup: CgroupFacts;
  /** Flags of seccomp(2) that the kernel knows; none of a kernel without seccomp filters. */
  readonly seccompFlags: readonly SeccompFlag[];
  /** Whether the kernel has the BFQ scheduler, and cgroups an io.bfq.weight. */
  readonly bfq: boolean;
  /** Whether systemd is pid 1 of this host (sd_booted(3)). */
  readonly systemd: boolean;
  /** The caller's soft RLIMIT_NOFILE, which Node has raised since; -1 when unknown. */
  readonly nofileSoft: number;
  /** The caller's file mode creation mask. */
  readonly umask: number;
}

const cgroup2Magic = 0x63677270;

/** Only the initial one maps every uid to itself (user_namespaces(7)). */
export function isInitialUserNamespace(): boolean {
  // Of a process that never enters another.
  initialUserNamespace ??= readsInitialUserNamespace();
  return initialUserNamespace;
}

let initialUserNamespace: boolean | undefined;

function readsInitialUserNamespace(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(readText('/proc/self/uid_map'));
}

function systemdUser(): number | undefined {
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0 && (process.env.USER === 'root' || isInitialUserNamespace())) return undefined;
  return outerId(readText('/proc/self/uid_map'), uid);
}

/** What the namespace's creator calls an ID, by the lines of uid_map or gid_map (user_namespaces(7)). */
export function outerId(map: string, id: number): number {
  for (const line of map.trim().split('\n')) {
    const [inner = 0, outer = 0, size = 0] = line.trim().split(/\s+/).map(Number);
    if (id >= inner && id < inner + size) return outer + id - inner;
  }
  return id;
}

export function gatherHostFacts(): HostFacts {
  const release = readText('/proc/sys/kernel/osrelease').trim();
  const status = readText('/proc/self/status');
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return {
    kernel: { release, major, minor },
    arch: process.arch,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    initialUserNamespace: isInitialUserNamespace(),
    get ownsMounts() {
      return keep(this, 'ownsMounts', isInitialUserNamespace() || canCloneMounts());
    },
    get systemdUser() {
      return keep(this, 'systemdUser', systemdUser());
    },
    capabilities: ownCapabilities(status),
    get lastCapability() {
      return keep(this, 'lastCapability', Number(readText('/proc/sys/kernel/cap_last_cap')));
    },
    get lsm() {
      return keep(this, 'lsm', lsmFacts());
    },
    get resctrl() {
      return keep(this, 'resctrl', resctrlFacts());
    },
    cgroup: cgroupFacts(),
    get seccompFlags() {
      return keep(this, 'seccompFlags', knownSeccompFlags());
    },
    get bfq() {
      return keep(this, 'bfq', isThere('/sys/module/bfq'));
    },
    systemd: statSync('/run/systemd/system', { throwIfNoEntry: false })?.isDirectory() === true,
    nofileSoft: nofileSoft(),
    umask: umaskIn(status),
  };
}

/** Puts a value in the place of its getter. */
function keep<T>(facts: object, name: string, value: T): T {
  Object.defineProperty(facts, name, { value, enumerable: true });
  return value;
}

/** No file tells which user namespace the mounts belong to. */
function canCloneMounts(): boolean {
  try {
    closeQuietly(addon().openTree('/', false, false));
    return true;
  } catch (error) {
    // EINVAL: the root is no mount of this namespace. ENOSYS and EPERM are also what filters of engines say.
    if (['EPERM', 'EACCES', 'EINVAL', 'ENOSYS'].includes(errorCode(error))) return false;
    throw error;
  }
}

/** Bits of those that the runtime has and may hand out. */
export function ownCapabilities(status = readText('/proc/self/status')): bigint {
  const mask = (name: string) => {
    const at = status.indexOf(`\n${name}:\t`);
    return at < 0 ? 0n : BigInt(`0x${status.slice(at + name.length + 3, at + name.length + 19)}`);
  };
  return mask('CapPrm') & mask('CapBnd');
}

/** umask(2) can only be asked by setting it, in all threads: another would make a file that everybody may write to. */
function umaskIn(status: string): number {
  const octal = /^Umask:\t([0-7]+)$/m.exec(status)?.[1];
  return octal === undefined ? process.umask() : Number.parseInt(octal, 8);
}

/** From what is readable without securityfs, which is often not mounted. */
function lsmFacts(): LsmFacts {
  return {
    apparmor: readText('/sys/module/apparmor/parameters/enabled').trim() === 'Y',
    // The kernel registers it only when SELinux is on.
    selinux: /\bselinuxfs$/m.test(readText('/proc/filesystems')),
  };
}

export function cgroupFacts(): CgroupFacts {
  for (const [mode, mount] of [
    ['unified', '/sys/fs/cgroup'],
    ['hybrid', '/sys/fs/cgroup/unified'],
  ] as const) {
    if (!isCgroup2(mount)) continue;
    const controllers = readText(`${mount}/cgroup.controllers`).trim().split(' ').filter(Boolean);
    const own = /^0::(.*)$/m.exec(readText('/proc/self/cgroup'))?.[1] ?? '/';
    const v1 = mode === 'hybrid' ? v1Controllers() : {};
    const parent = parentOf(own, mount);
    return {
      ...{ mode, mount, controllers, v1Controllers: v1, own, parent },
      get options() {
        return keep(this, 'options', cgroupOptions(mount));
      },
    };
  }
  const v1 = v1Controllers();
  return { mode: 'none', mount: null, options: [], controllers: [], v1Controllers: v1, own: '/', parent: '/' };
}

/** Of every filesystem, or a security module's word about it: none of the hierarchy's. */
const foreignOptions: readonly string[] = ['rw', 'ro', 'sync', 'dirsync', 'mand', 'lazytime', 'seclabel'];

/** From the last field of proc_pid_mountinfo(5); the topmost mount of a place is the last. */
function cgroupOptions(mount: string): string[] {
  const mounts = readText('/proc/self/mountinfo').split('\n');
  const found = mounts.findLast((line) => line.split(' ')[4] === mount && line.includes(' - cgroup2 ')) ?? '';
  const options = found.slice(found.lastIndexOf(' ') + 1).split(',');
  return options.filter((name) => name !== '' && !name.includes('=') && !foreignOptions.includes(name));
}

/**
 * The parent of the runtime's own, as a cgroup with processes in it cannot have children with controllers. Its own where
 * nothing else has been delegated to this user, who is not root: without limits it serves.
 */
function parentOf(own: string, mount: string): string {
  const above = dirname(own);
  if (process.geteuid?.() === 0 && isInitialUserNamespace()) return above;
  return !isMine(join(mount, above)) && isMine(join(mount, own)) ? own : above;
}

function isMine(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.geteuid?.();
}

/** Mount points by controller, from proc_pid_mounts(5): the options of a v1 mount name its controllers. */
function v1Controllers(): Record<string, string> {
  const mounts = readText('/proc/self/mounts')
    .split('\n')
    .map((line) => line.split(' '));
  const found: Record<string, string> = {};
  for (const [, mountPoint = '', type, options = ''] of mounts) {
    if (type !== 'cgroup') continue;
    for (const option of options.split(',')) found[option] ??= mountPoint;
  }
  return found;
}

function isCgroup2(path: string): boolean {
  try {
    return statfsSync(path).type === cgroup2Magic;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

function knownSeccompFlags(): SeccompFlag[] {
  const names = Object.keys(seccompFlagTable) as SeccompFlag[];
  const known = addon().seccompFlags(names.map((name) => seccompFlagTable[name].value));
  return names.filter((name) => known.includes(seccompFlagTable[name].value));
}

/** bin/tsrun writes it down before Node starts. */
function nofileSoft(): number {
  const value = process.env.TSRUN_NOFILE;
  delete process.env.TSRUN_NOFILE;
  return value === undefined || !/^\d{1,15}$/.test(value) ? -1 : Number(value);
}

function readText(path: string): string {
  return readIfThere(path) ?? '';
}
