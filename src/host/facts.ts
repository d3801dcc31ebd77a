import { statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { errorCode } from '../errors.ts';
import type { SeccompFlag } from '../generated/spec.ts';
import { flags as seccompFlagTable } from '../linux/seccomp.ts';
import { isAbsent, isThere, readIfThere } from '../there.ts';
import { type ResctrlFacts, resctrlFacts } from './resctrl.ts';

/** Where cgroup v2 is on this host. */
export interface CgroupFacts {
  /** unified: cgroup2 at /sys/fs/cgroup; hybrid: beside v1 controllers; none: no cgroup2 anywhere. */
  readonly mode: 'unified' | 'hybrid' | 'none';
  /** Mount point of cgroup2; null without one. */
  readonly mount: string | null;
  /** Options of the hierarchy itself, which all its mounts share: nsdelegate, memory_recursiveprot, … */
  readonly options: readonly string[];
  /** Controllers of the v2 hierarchy (cgroup.controllers of its mounted root). */
  readonly controllers: readonly string[];
  /** Mount point of each controller that cgroup v1 has, by v1's names; such a controller cannot be on v2. */
  readonly v1Controllers: Readonly<Record<string, string>>;
  /** This process's own cgroup, relative to the mount, with a leading slash. */
  readonly own: string;
  /** The cgroup for containers without an absolute cgroupsPath, in the same form as `own`. */
  readonly parent: string;
}

/** Which security modules are enabled. */
export interface LsmFacts {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

/**
 * Everything that lowering may know about the host. It is gathered only here, so that lowering stays pure. Facts that
 * few containers need are looked up once, when they are first asked for (docs/architecture.md lists these).
 */
export interface HostFacts {
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  /** process.arch: 'x64', 'arm64', … */
  readonly arch: string;
  readonly uid: number;
  readonly gid: number;
  /** False inside a user namespace, where uid 0 is another user outside. */
  readonly initialUserNamespace: boolean;
  /** False in a user namespace whose mounts belong to one above: `unshare --user` without `--mount`. */
  readonly ownsMounts: boolean;
  /** Whether the kernel's own small mount namespace can be found: Linux 6.12, in the initial pid namespace. */
  readonly smallMounts: boolean;
  /**
   * The uid of the ordinary user whose own systemd is asked, as that systemd knows it; undefined: the system's. Root of
   * a user namespace counts as such a user (rootless podman), unless $USER says that it is root.
   */
  readonly systemdUser: number | undefined;
  /** Capabilities that the runtime may pass on, as a bit set (CapPrm and CapBnd of proc_pid_status(5)). */
  readonly capabilities: bigint;
  /** Number of the kernel's last capability. */
  readonly lastCapability: number;
  readonly lsm: LsmFacts;
  /** null if resctrl is not mounted. */
  readonly resctrl: ResctrlFacts | null;
  readonly cgroup: CgroupFacts;
  /** Flags of seccomp(2) that the kernel knows; empty for a kernel without seccomp filters. */
  readonly seccompFlags: readonly SeccompFlag[];
  /** Whether the kernel has the BFQ scheduler, and cgroups have an io.bfq.weight. */
  readonly bfq: boolean;
  /** Whether systemd is pid 1 of this host (sd_booted(3)). */
  readonly systemd: boolean;
  /** The caller's soft RLIMIT_NOFILE, from before Node raised it; -1 when unknown. */
  readonly nofileSoft: number;
  /** The caller's file mode creation mask. */
  readonly umask: number;
}

const cgroup2Magic = 0x63677270;

/** Only the initial user namespace maps every uid to itself (user_namespaces(7)). */
export function isInitialUserNamespace(): boolean {
  // Cached, as this process never enters another one.
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

/**
 * The ID in the creator's namespace for one in this namespace, by the lines of uid_map or gid_map (user_namespaces(7)).
 */
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
    get smallMounts() {
      return keep(this, 'smallMounts', (major > 6 || (major === 6 && minor >= 12)) && isInitialPidNamespace());
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

/** Replaces a getter by its value. */
function keep<T>(facts: object, name: string, value: T): T {
  Object.defineProperty(facts, name, { value, enumerable: true });
  return value;
}

/** Tries it, because no file tells which user namespace owns the mounts. */
function canCloneMounts(): boolean {
  try {
    closeQuietly(addon().openTree('/', false, false));
    return true;
  } catch (error) {
    // EINVAL: the root is not a mount of this namespace. ENOSYS and EPERM may also come from an engine's filter.
    if (['EPERM', 'EACCES', 'EINVAL', 'ENOSYS'].includes(errorCode(error))) return false;
    throw error;
  }
}

/** The kernel gives the first pid namespace this number (PROC_PID_INIT_INO of proc_ns.h). */
const initialPidNamespace = 0xeffffffc;

function isInitialPidNamespace(): boolean {
  return statSync('/proc/self/ns/pid', { throwIfNoEntry: false })?.ino === initialPidNamespace;
}

/** The capabilities that the runtime has and may pass on, as bits. */
export function ownCapabilities(status = readText('/proc/self/status')): bigint {
  const mask = (name: string) => {
    const at = status.indexOf(`\n${name}:\t`);
    return at < 0 ? 0n : BigInt(`0x${status.slice(at + name.length + 3, at + name.length + 19)}`);
  };
  return mask('CapPrm') & mask('CapBnd');
}

/**
 * umask(2) can only be asked by setting it, which affects all threads: another one could make a file that all users may
 * write to.
 */
function umaskIn(status: string): number {
  const octal = /^Umask:\t([0-7]+)$/m.exec(status)?.[1];
  return octal === undefined ? process.umask() : Number.parseInt(octal, 8);
}

/** Uses files outside securityfs, which is often not mounted. */
function lsmFacts(): LsmFacts {
  return {
    apparmor: readText('/sys/module/apparmor/parameters/enabled').trim() === 'Y',
    // The kernel registers selinuxfs only when SELinux is on.
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

/** Options of every filesystem, or of a security module; none of them belongs to the hierarchy. */
const foreignOptions: readonly string[] = ['rw', 'ro', 'sync', 'dirsync', 'mand', 'lazytime', 'seclabel'];

/** From the last field of proc_pid_mountinfo(5); of several mounts at a place, the last one is on top. */
function cgroupOptions(mount: string): string[] {
  const mounts = readText('/proc/self/mountinfo').split('\n');
  const found = mounts.findLast((line) => line.split(' ')[4] === mount && line.includes(' - cgroup2 ')) ?? '';
  const options = found.slice(found.lastIndexOf(' ') + 1).split(',');
  return options.filter((name) => name !== '' && !name.includes('=') && !foreignOptions.includes(name));
}

/**
 * The parent of the runtime's own cgroup, because a cgroup with processes cannot have children with controllers. An
 * ordinary user to whom nothing else is delegated gets the own cgroup: that is enough without limits.
 */
function parentOf(own: string, mount: string): string {
  const above = dirname(own);
  if (process.geteuid?.() === 0 && isInitialUserNamespace()) return above;
  return !isMine(join(mount, above)) && isMine(join(mount, own)) ? own : above;
}

function isMine(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.geteuid?.();
}

/** Mount points by controller, from proc_pid_mounts(5), where a v1 mount's options name its controllers. */
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

/** bin/tsrun notes it before Node starts. */
function nofileSoft(): number {
  const value = process.env.TSRUN_NOFILE;
  delete process.env.TSRUN_NOFILE;
  return value === undefined || !/^\d{1,15}$/.test(value) ? -1 : Number(value);
}

function readText(path: string): string {
  return readIfThere(path) ?? '';
}
