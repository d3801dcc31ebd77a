import { dirname, join, normalize } from 'node:path';
import type { Op } from '../generated/ops.ts';
import type { Context } from './context.ts';

/** The container's cgroup (config-linux.md, Control groups). */
export function lowerCgroup(context: Context): Op[] {
  const { host, linux, warnings } = context;
  if (host.cgroup.mount === null) {
    warnings.push('this host has no cgroup v2: the container gets no cgroup of its own');
    return [];
  }
  const from = linux.cgroupsPath === undefined ? 'default' : '/linux/cgroupsPath';
  return [{ op: 'create-cgroup', by: 'runtime', from, path: cgroupDirectory(context), controllers: [] }];
}

/**
 * An absolute cgroupsPath counts from the mount point. A relative one, and the default (the id), count from the parent
 * of the runtime's own cgroup: a cgroup with processes in it cannot have children with controllers.
 */
export function cgroupDirectory({ host, linux, options }: Context): string {
  const path = linux.cgroupsPath || options.id;
  const mount = host.cgroup.mount ?? '/sys/fs/cgroup';
  // normalize() of an absolute path cannot lead above it.
  if (path.startsWith('/')) return join(mount, normalize(path));
  return join(mount, normalize(join('/', dirname(host.cgroup.own), path)));
}
