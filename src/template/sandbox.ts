/** The config of a container that shall be safe unless something else is asked for; the library's spawn uses it. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { errorCode } from '../errors.ts';
import type { LinuxIDMapping, Mount, POSIXRlimit, Process, Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import { isThere } from '../there.ts';
import { rootlessFacts } from './rootless.ts';
import { rootlessSpec } from './rootless-template.ts';
import { defaultSeccomp } from './seccomp-profile.ts';
import { defaultSpec } from './template.ts';

/** What may be asked for; anything missing gets the safe value. */
export interface SandboxChoices {
  readonly id: string;
  readonly command: readonly string[];
  /** Absolute path. */
  readonly rootfs: string;
  readonly readonly: boolean;
  readonly hostname: string | undefined;
  /** name=value. */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly capabilities: readonly string[];
  /** Sources are absolute paths. */
  readonly mounts: readonly { readonly source: string; readonly destination: string; readonly readonly: boolean }[];
  /** `none`, `host`, or the absolute path of a network namespace. */
  readonly network: string;
  readonly seccomp: boolean;
  /** Bytes, CPUs and processes; null: no limit; undefined: a safe limit, if the host can have one. */
  readonly memory: number | null | undefined;
  readonly cpus: number | null | undefined;
  readonly pids: number | null | undefined;
  /** cgroupsPath of the config. */
  readonly cgroup: string | undefined;
}

export interface SandboxSpec {
  readonly spec: Spec;
  /** See LowerOptions. */
  readonly mapRootfs: boolean;
}

const defaultMemory = 512 * 1024 * 1024;
const defaultPids = 256;
const cpuPeriodUs = 100_000;

export function sandboxSpec(choices: SandboxChoices, host: HostFacts): SandboxSpec {
  const ids = idsFor(choices, host);
  const spec = ids.rootless ? rootlessSpec(defaultSpec(), rootlessFacts()) : defaultSpec();
  const linux = spec.linux ?? {};
  if (!ids.rootless && ids.uids !== undefined) {
    linux.namespaces = [...(linux.namespaces ?? []), { type: 'user' }];
    linux.uidMappings = ids.uids;
    linux.gidMappings = ids.uids;
  }
  setProcess(spec, choices);
  spec.root = { path: choices.rootfs, readonly: choices.readonly };
  spec.hostname = choices.hostname ?? 'sandbox';
  setNetwork(spec, choices);
  spec.mounts = [...(spec.mounts ?? []), ...temporary(choices), ...choices.mounts.map((each) => bind(each, ids))];
  if (choices.cgroup !== undefined) linux.cgroupsPath = choices.cgroup;
  if (choices.seccomp) linux.seccomp = defaultSeccomp(host.arch);
  setLimits(spec, choices, host, ids);
  return { spec, mapRootfs: ids.mapsFiles };
}

/** The container's IDs on the host. */
interface Ids {
  /** Mappings of the user namespace; undefined without one, and if `rootless`. */
  readonly uids: LinuxIDMapping[] | undefined;
  /** Set when the runtime is not the host's root, and maps what it may. */
  readonly rootless: boolean;
  /** Whether files of the host keep their IDs on disk (ID-mapped mounts). */
  readonly mapsFiles: boolean;
}

/**
 * Ranges of 65,536 IDs, from those that systemd reserves for containers (its UIDS-GIDS.md); the container gets one of
 * them.
 */
const idsOfContainers = { first: 524_288, ranges: 28_662, size: 65_536 };

function idsFor({ id, rootfs }: SandboxChoices, host: HostFacts): Ids {
  if (host.uid !== 0 || !host.initialUserNamespace) return { uids: undefined, rootless: true, mapsFiles: false };
  if (!hasUserNamespaces()) return { uids: undefined, rootless: false, mapsFiles: false };
  const { first, ranges, size } = idsOfContainers;
  const range = Number(BigInt(`0x${addon().checksum(Buffer.from(id))}`) % BigInt(ranges));
  const own = [{ containerID: 0, hostID: first + range * size, size }];
  if (canMap(rootfs)) return { uids: own, rootless: false, mapsFiles: true };
  // The container's root then has the number of the host's root, but none of its powers.
  return { uids: [{ containerID: 0, hostID: 0, size }], rootless: false, mapsFiles: false };
}

function hasUserNamespaces(): boolean {
  return isThere('/proc/self/ns/user') && readFileSync('/proc/sys/user/max_user_namespaces', 'utf8').trim() !== '0';
}

/** Whether a filesystem accepts ID-mapped mounts (mount_setattr(2)), by device. */
const mappable = new Map<number, boolean>();

function canMap(path: string): boolean {
  const device = statSync(path, { throwIfNoEntry: false })?.dev;
  // A missing path is reported later.
  if (device === undefined) return true;
  const known = mappable.get(device) ?? tryToMap(path);
  mappable.set(device, known);
  return known;
}

function tryToMap(path: string): boolean {
  const fds: number[] = [];
  const map = `0 ${idsOfContainers.first} ${idsOfContainers.size}\n`;
  try {
    fds.push(addon().openTree(path, false, false));
    fds.push(addon().makeUserNamespace(map, map));
    addon().mapTree(fds[0] as number, fds[1] as number, false);
    return true;
  } catch (error) {
    if (['EINVAL', 'EPERM', 'ENOSYS', 'EOPNOTSUPP'].includes(errorCode(error))) return false;
    throw error;
  } finally {
    for (const fd of fds) closeQuietly(fd);
  }
}

function setProcess(spec: Spec, { command, env, cwd, uid, gid, capabilities }: SandboxChoices): void {
  const [path = ''] = spec.process?.env ?? [];
  const isNamed = (name: string) => env.some((entry) => entry.startsWith(`${name}=`));
  const home = uid === 0 ? ['HOME=/root'] : [];
  const given = [path, ...home].filter((entry) => !isNamed(entry.slice(0, entry.indexOf('='))));
  spec.process = {
    ...spec.process,
    cwd,
    terminal: false,
    user: { uid, gid },
    args: [...command],
    env: [...given, ...env],
    capabilities: capabilitySets(capabilities, uid),
    noNewPrivileges: true,
  };
}

/** A user other than root keeps only ambient ones at execve(2) (capabilities(7)). */
function capabilitySets(names: readonly string[], uid: number): Process['capabilities'] {
  const all = [...names];
  return { bounding: all, effective: all, permitted: all, ...(uid !== 0 && { inheritable: all, ambient: all }) };
}

function setNetwork(spec: Spec, { network }: SandboxChoices): void {
  const linux = spec.linux ?? {};
  const others = (linux.namespaces ?? []).filter(({ type }) => type !== 'network');
  if (network === 'none') linux.namespaces = [...others, { type: 'network' }];
  else linux.namespaces = network === 'host' ? others : [...others, { type: 'network', path: network }];
  // A new sysfs would show the network namespace of the process that mounts it, and needs power over that.
  if (network !== 'none') spec.mounts = (spec.mounts ?? []).filter(({ type }) => type !== 'sysfs');
}

/** A writable directory, if the root filesystem has a /tmp. */
function temporary({ rootfs, readonly, mounts }: SandboxChoices): Mount[] {
  const isTaken = mounts.some(({ destination }) => destination === '/tmp');
  if (!readonly || isTaken || !isThere(join(rootfs, 'tmp'))) return [];
  const options = ['nosuid', 'nodev', 'mode=1777', 'size=65536k'];
  return [{ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options }];
}

function bind({ source, destination, readonly }: SandboxChoices['mounts'][number], ids: Ids): Mount {
  const maps = ids.mapsFiles && canMap(source);
  const options = ['rbind', 'nosuid', 'nodev', readonly ? 'ro' : 'rw', ...(maps ? ['idmap'] : [])];
  return { destination, type: 'bind', source, options };
}

function setLimits(spec: Spec, { memory, cpus, pids, uid }: SandboxChoices, host: HostFacts, ids: Ids): void {
  const linux = spec.linux ?? {};
  const has = (controller: string) => mayLimit(host, controller);
  const bytes = memory === undefined && has('memory') ? defaultMemory : memory;
  const processes = pids === undefined && has('pids') ? defaultPids : pids;
  const resources = { ...linux.resources };
  if (host.cgroup.mount === null) delete resources.devices;
  if (bytes != null) resources.memory = { limit: bytes };
  if (cpus != null) resources.cpu = { quota: Math.max(1000, Math.round(cpus * cpuPeriodUs)), period: cpuPeriodUs };
  if (processes != null && !has('pids') && countsByUser(ids, uid)) limitByUser(spec, processes);
  else if (processes != null) resources.pids = { limit: processes };
  linux.resources = resources;
}

/** Whether this caller can set such a limit; an ordinary user can if the controller was delegated. */
function mayLimit({ uid, initialUserNamespace, cgroup }: HostFacts, controller: string): boolean {
  if (!cgroup.controllers.includes(controller) || cgroup.mount === null) return false;
  if (uid === 0 && initialUserNamespace) return true;
  try {
    const parent = join(cgroup.mount, cgroup.parent);
    const isOwn = statSync(parent).uid === uid;
    return isOwn && readFileSync(join(parent, 'cgroup.controllers'), 'utf8').split(/\s+/).includes(controller);
  } catch {
    return false;
  }
}

/**
 * Whether RLIMIT_NPROC works as a limit. Since Linux 5.14 it counts a user's processes in each user namespace
 * separately; it binds all users except the host's root (kernel/fork.c).
 */
function countsByUser({ uids, rootless }: Ids, uid: number): boolean {
  return rootless || (uids !== undefined && (uids[0]?.hostID ?? 0) + uid !== 0);
}

function limitByUser(spec: Spec, processes: number): void {
  const limit: POSIXRlimit = { type: 'RLIMIT_NPROC', soft: processes, hard: processes };
  if (spec.process !== undefined) spec.process.rlimits = [...(spec.process.rlimits ?? []), limit];
}
