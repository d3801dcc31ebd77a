/** What can be asked of the host before a container is made: small named checks, errors and warnings apart. */

import { isAbsolute, resolve } from 'node:path';
import type { Problem } from '../config/validate/finding.ts';
import { TsrunError } from '../errors.ts';
import type { Hook } from '../generated/spec.ts';
import { kernelHas, oldestKernel } from '../lower/kernel.ts';
import type { CheckContext } from './context.ts';
import { problemOf } from './lowering.ts';
import type { Probe } from './probe.ts';
import { programProblems } from './program.ts';

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
  { name: 'program', check: programProblems },
  { name: 'hooks', check: hookProblems },
  { name: 'seccomp', check: seccompProblems },
  { name: 'net-devices', check: netDeviceProblems },
  { name: 'systemd', check: systemdProblems },
];

export const hostWarnings: readonly HostCheck[] = [{ name: 'filesystems', check: filesystemProblems }];

function rootfsProblems({ spec, rootfs, bundle, probe }: CheckContext): Problem[] {
  const kind = probe.kindOf(rootfs);
  if (kind === 'directory' || spec.root === undefined) return [];
  const what = kind === 'missing' ? 'does not exist' : kind === 'unreachable' ? 'cannot be reached' : 'is no directory';
  return [{ pointer: '/root/path', message: `${rootfs} ${what}`, hint: `/root/path counts from the bundle ${bundle}` }];
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
    return [
      { pointer: `/mounts/${index}/source`, message: `there is no ${path}`, hint: 'a bind mount needs its source' },
    ];
  });
}

/** Only a warning: a module that the kernel loads on demand may bring the type. */
function filesystemProblems({ spec, probe }: CheckContext): Problem[] {
  const known = new Set((probe.text('/proc/filesystems') ?? '').split(/\s+/));
  return (spec.mounts ?? []).flatMap(({ type = '', options = [] }, index): Problem[] => {
    const name = type === 'cgroup' ? 'cgroup2' : type;
    const isBind = options.includes('bind') || options.includes('rbind') || options.includes('remount');
    if (isBind || name === '' || known.has(name)) return [];
    const message = `the kernel does not know the filesystem type ${JSON.stringify(type)}, unless a module brings it`;
    return [{ pointer: `/mounts/${index}/type`, message }];
  });
}

/** Those that run in the runtime's namespaces, and createContainer, whose path is still the host's. */
const hostHookKinds = ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'] as const;

function hookProblems({ spec, probe }: CheckContext): Problem[] {
  return hostHookKinds.flatMap((kind) =>
    (spec.hooks?.[kind] ?? []).flatMap(({ path }: Hook, index): Problem[] => {
      const found = probe.kindOf(path);
      if (found === 'program' || found === 'unreachable') return [];
      const what = found === 'missing' ? `there is no ${path}` : `${path} cannot be executed`;
      return [{ pointer: `/hooks/${kind}/${index}/path`, message: what }];
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

/** sd_booted(3). */
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
