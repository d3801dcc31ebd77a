import { oneLine } from '../errors.ts';
import { capabilityNames } from '../linux/capabilities.ts';
import type { Style } from '../style.ts';
import type { IdRange, Info } from './info.ts';

const labelWidth = 16;

/** Text for people. */
export function infoText(info: Info, style: Style): string {
  const { tsrun, libraries, kernel, cgroup, cannot } = info;
  const rows: [string, string][] = [
    ['tsrun', `${tsrun.version} (${tsrun.commit}), runtime-spec ${tsrun.spec}`],
    ['libraries', `libseccomp ${libraries.libseccomp}, ${tsrun.engine}`],
    ['kernel', `Linux ${kernel.release} on ${kernel.architecture} (tsrun needs ${kernel.oldest})`],
    ['user', userText(info)],
    ['capabilities', capabilitiesText(info.user.capabilities)],
    ['subordinate IDs', subordinateText(info)],
    ['cgroups', cgroupText(cgroup)],
    ['controllers', list(cgroup.controllers)],
    ...(cgroup.v1Controllers.length > 0 ? [['on cgroup v1', list(cgroup.v1Controllers)] as [string, string]] : []),
    ['systemd', info.systemd ? 'runs this host: --systemd-cgroup works' : 'does not run this host'],
    ['namespaces', list(info.namespaces)],
    ['user namespaces', info.userNamespacesAllowed === 0 ? 'none are allowed' : 'are allowed'],
    ['security modules', list(info.securityModules)],
    ['seccomp', info.seccompFlags.length === 0 ? 'not in this kernel' : list(info.seccompFlags.map(shortFlag))],
    ['resctrl', info.resctrl ?? 'not mounted'],
    ['NUMA nodes', String(info.numaNodes)],
  ];
  const lines = rows.map(([label, value]) => `${style.cyan(label.padEnd(labelWidth))}  ${oneLine(value)}\n`);
  return lines.join('') + cannotText(cannot, style);
}

function cannotText(cannot: Info['cannot'], style: Style): string {
  if (cannot.length === 0) return `\n${style.green('This host can do all of the specification that cgroup v2 can.')}\n`;
  const byReason = new Map<string, string[]>();
  for (const { pointer, why } of cannot) byReason.set(why, [...(byReason.get(why) ?? []), pointer].filter(Boolean));
  const lines = [...byReason].map(([why, pointers]) => {
    return `${pointers.map((pointer) => `  ${style.bold(pointer)}\n`).join('')}    ${oneLine(why)}\n`;
  });
  return `\n${style.yellow('Of the specification this host cannot do for this user:')}\n${lines.join('')}`;
}

function userText({ user }: Info): string {
  const where = user.initialUserNamespace ? 'in the host’s user namespace' : 'in a user namespace';
  return `uid ${user.uid}, gid ${user.gid}, ${where}`;
}

function capabilitiesText(own: readonly string[]): string {
  const missing = capabilityNames.filter((name) => !own.includes(name));
  if (own.length === 0) return 'none';
  return missing.length === 0 ? 'all' : missing.length < own.length ? `all but ${list(missing)}` : list(own);
}

function subordinateText({ user }: Info): string {
  const { subordinateUids: uids, subordinateGids: gids, newuidmap, newgidmap } = user;
  if (uids.length + gids.length === 0) return 'none in /etc/subuid and /etc/subgid';
  const helpers =
    newuidmap !== null && newgidmap !== null ? '' : '; newuidmap or newgidmap is missing (package uidmap)';
  return `uids ${ranges(uids)}; gids ${ranges(gids)}${helpers}`;
}

function ranges(all: readonly IdRange[]): string {
  return list(all.map(({ first, count }) => `${first}-${first + count - 1}`));
}

function cgroupText({ mode, mount, own, parent, options }: Info['cgroup']): string {
  if (mount === null) return 'no cgroup v2 is mounted at /sys/fs/cgroup: containers have none of their own';
  const how = mode === 'unified' ? 'v2' : 'v2 beside v1 (hybrid)';
  return `${how} at ${mount}, this process in ${own}, containers below ${parent}${options.length > 0 ? ` (${list(options)})` : ''}`;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function shortFlag(name: string): string {
  return name.replace('SECCOMP_FILTER_FLAG_', '').toLowerCase();
}
