/** Checks whether this kernel has the filesystems that a config mounts, and whether they accept their options. */

import type { Problem } from '../config/validate/finding.ts';
import type { Mount } from '../generated/spec.ts';
import { meantFilesystem, meantOption } from '../linux/mount-suggestions.ts';
import { optionPointer, sortOptions } from '../lower/mounts/mount-options.ts';
import type { CheckContext } from './context.ts';

/**
 * Filesystems whose options the kernel is asked about. They have no device and no server, look up no path, and none of
 * their options makes the kernel load a module, as `iocharset` and `vers` of others do.
 */
const tried = new Set([
  ...['bpf', 'cgroup2', 'debugfs', 'devpts', 'hugetlbfs', 'mqueue', 'overlay', 'proc', 'pstore', 'ramfs', 'securityfs'],
  ...['sysfs', 'tmpfs', 'tracefs'],
]);

/** The kernel looks these values up at once, from this process's position. */
const paths = /^(lowerdir|upperdir|workdir|datadir)\+?=/;

/** Kernels before 6.14 check the options of devpts only when they make it. */
const devptsOptions = /^(newinstance|(uid|gid|max)=\d+|(mode|ptmxmode)=[0-7]+)$/;

interface NewFilesystem {
  readonly type: string;
  readonly mount: Mount;
  /** JSON pointer of the entry. */
  readonly at: string;
}

/** Types that the kernel lacks and that no module provides. */
export function filesystemErrors(context: CheckContext): Problem[] {
  return newFilesystems(context).flatMap(({ type, mount, at }): Problem[] => {
    if (isKnown(context, type)) return optionProblems(context, type, mount, at);
    if (moduleOf(context, type) !== null) return [];
    const hint = /^(bind|rbind|none)$/.test(type) ? undefined : 'is it misspelt? /proc/filesystems lists what there is';
    return [{ pointer: `${at}/type`, message: `this kernel has no filesystem ${JSON.stringify(type)}`, hint }];
  });
}

/** Types that a module may provide. This does not ask the kernel, which would load the module. */
export function filesystemWarnings(context: CheckContext): Problem[] {
  return newFilesystems(context).flatMap(({ type, at }): Problem[] => {
    if (isKnown(context, type)) return [];
    const module = moduleOf(context, type);
    if (module === null) return [];
    const name = JSON.stringify(type);
    const message =
      module === undefined
        ? `the kernel does not know the filesystem type ${name}, unless a module brings it`
        : `the kernel has to load the module ${module} for the filesystem type ${name}, and its options are not checked`;
    const hint = () => meantFilesystem(type, context.probe.text('/proc/filesystems') ?? '');
    return [{ pointer: `${at}/type`, message, hint }];
  });
}

function newFilesystems({ spec }: CheckContext): NewFilesystem[] {
  return (spec.mounts ?? []).flatMap((mount, index) => {
    const { type = '', options = [] } = mount;
    const isOther = ['bind', 'rbind', 'remount'].some((option) => options.includes(option));
    // Lowering has already reported what it refuses.
    if (isOther || type === '' || type === 'bind' || type === 'none') return [];
    return [{ type: type === 'cgroup' ? 'cgroup2' : type, mount, at: `/mounts/${index}` }];
  });
}

function isKnown({ probe }: CheckContext, type: string): boolean {
  return (probe.text('/proc/filesystems') ?? '').split(/\s+/).includes(type);
}

/** The module that provides a type; null if none does, undefined if this cannot be found out. */
function moduleOf({ probe, host }: CheckContext, type: string): string | null | undefined {
  const aliases = probe.text(`/lib/modules/${host.kernel.release}/modules.alias`);
  if (aliases === undefined) return undefined;
  const line = aliases.split('\n').find((text) => text.startsWith(`alias fs-${type} `));
  return line?.split(' ')[2] ?? null;
}

function optionProblems(context: CheckContext, type: string, { options = [] }: Mount, at: string): Problem[] {
  if (!tried.has(type)) return [];
  const sorted = sortOptions(options, at);
  const parameters = sorted.parameters.filter(({ text }) => !paths.test(text));
  if (parameters.length === 0) return [];
  const refused = context.probe.refusedOptions(
    type,
    parameters.map(({ text }) => text),
  );
  return parameters.flatMap(({ text, option, generic }, index): Problem[] => {
    const isOdd = type === 'devpts' && !generic && !devptsOptions.test(text);
    const words = refused[index] ?? (isOdd ? `devpts: it has no option ${JSON.stringify(text)}` : undefined);
    if (words === undefined) return [];
    const hint = `neither mount(8) nor ${type} takes it so: ${meantOption(text, type) ?? 'is it misspelt?'}`;
    const message = `the kernel refuses the option ${JSON.stringify(text)}: ${words}`;
    return [{ pointer: optionPointer(at, option), message, hint }];
  });
}
