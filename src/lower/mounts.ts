import { TsrunError } from '../errors.ts';
import type { MountOp, Op } from '../generated/ops.ts';
import type { Mount } from '../generated/spec.ts';
import type { Context } from './context.ts';
import { attributeOptions } from './mount-options.ts';

/** config.md, Mounts, in the listed order. */
export function lowerMounts(context: Context): Op[] {
  return (context.spec.mounts ?? []).map((mount, index) => lowerMount(mount, `/mounts/${index}`));
}

function lowerMount(mount: Mount, from: string): MountOp {
  const { attributes, parameters } = sortOptions(mount.options ?? [], from);
  const isCgroup = mount.type === 'cgroup' || mount.type === 'cgroup2';
  return {
    op: 'mount',
    by: 'init',
    from,
    destination: absolute(mount.destination),
    type: isCgroup ? 'cgroup2' : (mount.type ?? 'none'),
    source: mount.source ?? '',
    parameters,
    attributes,
    realDirectory: mount.type === 'proc' || mount.type === 'sysfs',
  };
}

/** "A relative destination is relative to /" (config.md, Mounts; deprecated). */
function absolute(destination: string): string {
  return destination.startsWith('/') ? destination : `/${destination}`;
}

function sortOptions(options: readonly string[], from: string): { attributes: number; parameters: string[] } {
  let attributes = 0;
  const parameters: string[] = [];
  options.forEach((option, index) => {
    const known = attributeOptions[option];
    if (known !== undefined) attributes = (attributes & ~known.clear) | known.set;
    else if (option === 'bind' || option === 'rbind') {
      throw new TsrunError(`${from}/options/${index}: bind mounts are not supported yet`);
    } else parameters.push(option);
  });
  return { attributes, parameters };
}
