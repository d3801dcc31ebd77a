/**
 * What can be checked on the host before a container is made: small named checks, either for errors or for warnings.
 */

import { isAbsolute, resolve } from 'node:path';
import type { Problem } from '../config/validate/finding.ts';
import { TsrunError } from '../errors.ts';
import type { Hook } from '../generated/spec.ts';
import { nearPath } from '../host/near-path.ts';
import { kernelHas, oldestKernel } from '../lower/kernel.ts';
import { unknownCalls } from '../seccomp/unknown-calls.ts';
import type { CheckContext } from './context.ts';
import { filesystemErrors, filesystemWarnings } from './filesystems.ts';
import { problemOf } from './lowering.ts';
import type { Probe } from './probe.ts';
import { programProblems } from './program.ts';
import { seccompRuleWarnings } from './seccomp-rules.ts';

export interface HostCheck {
  /** Names the check in findings. */
  readonly name: string;
  readonly check: (context: CheckContext) => Problem[];
}

export const hostErrors: readonly HostCheck[] = [
  {
    name: 'kernel',
    check: ({ host }) => {
      if (kernelHas({ host }, oldestKernel)) return [];
      return [{ pointer: '', message: `tsrun needs Linux ${oldestKernel.join('.')}, this is ${host.kernel.release}` }];
    },
  },
  { name: 'rootfs', check: rootfsProblems },
  { name: 'namespaces', check: namespaceProblems },
  { name: 'mount-sources', check: mountSourceProblems },
  { name: 'mount-options', check: filesystemErrors },
  { name: 'program', check: programProblems },
  { name: 'hooks', check: hookProblems },
  { name: 'seccomp', check: seccompProblems },
  { name: 'net-devices', check: netDeviceProblems },
  { name: 'systemd', check: systemdProblems },
];

export const hostWarnings: readonly HostCheck[] = [
  { name: 'filesystems', check: filesystemWarnings },
  { name: 'seccomp-names', check: seccompNameProblems },
  { name: 'seccomp-rules', check: seccompRuleWarnings },
  { name: 'cgroups-path', check: cgroupsPathProblems },
];

function rootfsProblems({ spec, rootfs, bundle, probe }: CheckContext): Problem[] {
  const kind = probe.kindOf(rootfs);
  if (kind === 'directory' || spec.root === undefined) return [];
  const what =
    kind === 'missing' ? 'does not exist' : kind === 'unreachable' ? 'cannot be reached' : 'is not a directory';
  const hint = () => nearPath(rootfs) ?? `/root/path is relative to the bundle ${bundle}`;
  return [{ pointer: '/root/path', message: `${rootfs} ${what}`, hint }];
}

/** Names below /proc/self/ns. */
const namespaceFiles: Readonly<Record<string, string>> = { mount: 'mnt', network: 'net' };

function namespaceProblems({ spec, probe }: CheckContext): Problem[] {
  return (spec.linux?.namespaces ?? []).flatMap(({ type, path }, index): Problem[] => {
    const pointer = `/linux/namespaces/${index}`;
    if (probe.kindOf(`/proc/self/ns/${namespaceFiles[type] ?? type}`) === 'missing') {
      return [{ pointer, message: `this kernel has no ${type} namespaces` }];
    }
    if (path) {
      const isThere = probe.kindOf(path) !== 'missing';
      return isThere ? [] : [{ pointer: `${pointer}/path`, message: `there is no ${path}` }];
    }
    return type === 'user' ? userNamespaceProblems(pointer, probe) : [];
  });
}

function userNamespaceProblems(pointer: string, probe: Probe): Problem[] {
  const file = '/proc/sys/user/max_user_namespaces';
  if (probe.text(file)?.trim() !== '0') return [];
  return [{ pointer, message: 'this host allows no user namespaces', hint: `raise ${file}` }];
}

function mountSourceProblems({ spec, bundle, probe }: CheckContext): Problem[] {
  return (spec.mounts ?? []).flatMap(({ source, options = [] }, index): Problem[] => {
    const isBind = options.includes('bind') || options.includes('rbind');
    if (!isBind || source === undefined) return [];
    const path = isAbsolute(source) ? source : resolve(bundle, source);
    if (probe.kindOf(path) !== 'missing') return [];
    if (options.includes('copy-symlink') && probe.isLink(path)) return [];
    const hint = () => nearPath(path) ?? 'a bind mount needs its source';
    return [{ pointer: `/mounts/${index}/source`, message: `there is no ${path}`, hint }];
  });
}

/** Hooks that run in the runtime's namespaces, and createContainer, whose path is still the host's. */
const hostHookKinds = ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'] as const;

function hookProblems({ spec, probe }: CheckContext): Problem[] {
  return hostHookKinds.flatMap((kind) =>
    (spec.hooks?.[kind] ?? []).flatMap(({ path }: Hook, index): Problem[] => {
      const found = probe.kindOf(path);
      if (found === 'program' || found === 'unreachable') return [];
      const what = found === 'missing' ? `there is no ${path}` : `${path} cannot be executed`;
      const hint = found === 'missing' ? () => nearPath(path) : 'chmod +x makes it a program';
      return [{ pointer: `/hooks/${kind}/${index}/path`, message: what, hint }];
    }),
  );
}

function seccompProblems({ spec, probe }: CheckContext): Problem[] {
  const seccomp = spec.linux?.seccomp;
  if (seccomp === undefined) return [];
  const pointer = '/linux/seccomp';
  const file = '/proc/sys/kernel/seccomp/actions_avail';
  if (probe.text(file) === undefined) {
    return [{ pointer, message: `this kernel has no seccomp filters: there is no ${file}` }];
  }
  try {
    probe.compileSeccomp(seccomp);
    return [];
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    return [problemOf(error)];
  }
}

/** One finding for each name, because a person who mends the profile wants to see them all. */
function seccompNameProblems({ spec, probe }: CheckContext): Problem[] {
  const seccomp = spec.linux?.seccomp;
  if (seccomp === undefined) return [];
  try {
    return unknownCalls(seccomp, probe.compileSeccomp(seccomp), probe.libseccomp);
  } catch (error) {
    // This is an error, and reported as one.
    if (error instanceof TsrunError) return [];
    throw error;
  }
}

/** Finds a slice:prefix:name, which only the systemd driver can use. */
function cgroupsPathProblems({ spec, cgroupManager }: CheckContext): Problem[] {
  const path = spec.linux?.cgroupsPath ?? '';
  if (cgroupManager !== 'cgroupfs' || !/^[^/:]*:[^/:]*:[^/:]+$/.test(path)) return [];
  return [
    {
      pointer: '/linux/cgroupsPath',
      message: `${JSON.stringify(path)} is slice:prefix:name of the systemd driver; without it a cgroup gets this very name`,
      hint: 'add --systemd-cgroup before the command, or give a path',
    },
  ];
}

/** Checks for systemd as sd_booted(3) does. */
function systemdProblems({ cgroupManager, probe }: CheckContext): Problem[] {
  if (cgroupManager !== 'systemd' || probe.kindOf('/run/systemd/system') === 'directory') return [];
  return [{ pointer: '', message: '--systemd-cgroup: this host does not run systemd' }];
}

function netDeviceProblems({ spec, probe }: CheckContext): Problem[] {
  return Object.keys(spec.linux?.netDevices ?? {}).flatMap((name): Problem[] => {
    if (probe.kindOf(`/sys/class/net/${name}`) !== 'missing') return [];
    return [{ pointer: `/linux/netDevices/${name}`, message: `this host has no network device ${name}` }];
  });
}
