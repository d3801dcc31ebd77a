/** What this host offers to containers, and which parts of the specification it cannot do. */

import { join } from 'node:path';
import { commit, version } from '../build-info.ts';
import { loweringProblems } from '../check/lowering.ts';
import { everyProperty } from '../generated/explain.ts';
import type { HostFacts } from '../host/facts.ts';
import { capabilitiesIn } from '../linux/capabilities.ts';
import { namespaceFlags } from '../linux/namespaces.ts';
import { oldestKernel } from '../lower/kernel.ts';
import { libseccompVersion } from '../seccomp/compile.ts';
import { specVersion } from '../spec-version.ts';
import { subordinateMappings } from '../template/rootless.ts';
import { namesIn, textOf } from '../there.ts';

/** A range of IDs from subuid(5) or subgid(5). */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

export interface Info {
  readonly tsrun: { readonly version: string; readonly commit: string; readonly spec: string; readonly engine: string };
  readonly libraries: { readonly libseccomp: string };
  readonly kernel: { readonly release: string; readonly architecture: string; readonly oldest: string };
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly initialUserNamespace: boolean;
    /** Names of those that the user may give to a container. */
    readonly capabilities: readonly string[];
    readonly subordinateUids: readonly IdRange[];
    readonly subordinateGids: readonly IdRange[];
    /** Paths of the programs that let an ordinary user map them; null if one is missing. */
    readonly newuidmap: string | null;
    readonly newgidmap: string | null;
  };
  readonly cgroup: {
    readonly mode: string;
    readonly mount: string | null;
    readonly options: readonly string[];
    readonly controllers: readonly string[];
    /** Controllers that cgroup v1 has. */
    readonly v1Controllers: readonly string[];
    readonly own: string;
    /** The cgroup below which containers' cgroups are made. */
    readonly parent: string;
  };
  readonly systemd: boolean;
  readonly namespaces: readonly string[];
  readonly userNamespacesAllowed: number | null;
  readonly securityModules: readonly string[];
  readonly seccompFlags: readonly string[];
  readonly resctrl: string | null;
  readonly numaNodes: number;
  /** Properties that this host cannot honour for this user, and the reasons. */
  readonly cannot: readonly { readonly pointer: string; readonly why: string; readonly hint?: string }[];
}

export function infoOf(host: HostFacts): Info {
  const { kernel, cgroup, uid, gid } = host;
  return {
    tsrun: { version, commit, spec: specVersion, engine: engineName() },
    libraries: { libseccomp: libseccompVersion() },
    kernel: { release: kernel.release, architecture: host.arch, oldest: oldestKernel.join('.') },
    user: {
      uid,
      gid,
      initialUserNamespace: host.initialUserNamespace,
      capabilities: capabilitiesIn(host.capabilities),
      subordinateUids: rangesOf('uid', uid),
      subordinateGids: rangesOf('gid', uid),
      newuidmap: onPath('newuidmap'),
      newgidmap: onPath('newgidmap'),
    },
    cgroup: {
      mode: cgroup.mode,
      mount: cgroup.mount,
      options: cgroup.options,
      controllers: cgroup.controllers,
      v1Controllers: Object.keys(cgroup.v1Controllers).filter(
        (name) => !/^(rw|ro|name=.*|xattr|nosuid|.*time)$/.test(name),
      ),
      own: cgroup.own,
      parent: cgroup.parent,
    },
    systemd: host.systemd,
    namespaces: Object.keys(namespaceFlags).filter(hasNamespace).sort(),
    userNamespacesAllowed: numberIn('/proc/sys/user/max_user_namespaces'),
    securityModules: securityModules(host),
    seccompFlags: host.seccompFlags,
    resctrl: host.resctrl?.mount ?? null,
    numaNodes: namesIn('/sys/devices/system/node').filter((name) => /^node\d+$/.test(name)).length || 1,
    cannot: cannotDo(host),
  };
}

/** Asks lowering itself, with a config that has every property. */
function cannotDo(host: HostFacts): Info['cannot'] {
  const options = { id: 'info', bundle: '/', cgroupManager: 'cgroupfs' } as const;
  const { errors } = loweringProblems(everyProperty, host, options);
  const missing = Object.keys(namespaceFlags)
    .filter((type) => !hasNamespace(type))
    .map((type) => ({ pointer: '/linux/namespaces', why: `this kernel has no ${type} namespaces` }));
  // Swap is counted with the memory limit, which was removed if it was refused.
  const isOwn = ({ pointer }: { pointer: string }) =>
    pointer !== '/linux/resources/memory/swap' ||
    !errors.some((one) => one.pointer === '/linux/resources/memory/limit');
  const refused = errors.filter(isOwn).map(({ pointer, message, hint }) => ({
    pointer: pointer.replace(/\/\d+(?=\/|$)/g, '/*'),
    why: message,
    ...(typeof hint === 'string' && { hint }),
  }));
  return [...missing, ...refused];
}

function engineName(): string {
  const { node } = process.versions ?? {};
  return node === undefined ? 'QuickJS' : `Node ${node}`;
}

/** Names below /proc/self/ns. */
const namespaceFiles: Readonly<Record<string, string>> = { mount: 'mnt', network: 'net' };

function hasNamespace(type: string): boolean {
  return namesIn('/proc/self/ns').includes(namespaceFiles[type] ?? type);
}

function securityModules({ lsm }: HostFacts): string[] {
  const listed = textOf('/sys/kernel/security/lsm').trim().split(',').filter(Boolean);
  const seen = [...(lsm.apparmor ? ['apparmor'] : []), ...(lsm.selinux ? ['selinux'] : [])];
  return listed.length > 0 ? listed : seen;
}

function rangesOf(kind: 'uid' | 'gid', uid: number): IdRange[] {
  const users = textOf('/etc/passwd')
    .split('\n')
    .map((line) => line.split(':'));
  const name = users.find((fields) => fields[2] === String(uid))?.[0] ?? '';
  const map = textOf(`/proc/self/${kind}_map`);
  const mappings = subordinateMappings(textOf(`/etc/sub${kind}`), [String(uid), name], map);
  return mappings.map(({ hostID, size }) => ({ first: hostID, count: size }));
}

function onPath(name: string): string | null {
  const directories = (process.env.PATH ?? '').split(':').filter((at) => at.startsWith('/'));
  return directories.map((at) => join(at, name)).find((path) => namesIn(join(path, '..')).includes(name)) ?? null;
}

function numberIn(path: string): number | null {
  const text = textOf(path).trim();
  return /^\d+$/.test(text) ? Number(text) : null;
}
