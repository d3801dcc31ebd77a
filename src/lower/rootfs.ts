import { resolve } from 'node:path';
import type { Op } from '../generated/ops.ts';
import type { Context } from './context.ts';

const propagationFlags = { private: 1 << 18, slave: 1 << 19, shared: 1 << 20, unbindable: 1 << 17 } as const;

/** Absolute path of the rootfs: root.path, relative to the bundle (config.md, Root). */
export function rootfsPath({ spec, options }: Pick<Context, 'spec' | 'options'>): string {
  return resolve(options.bundle, spec.root?.path ?? 'rootfs');
}

/** Slave: mounts of the host may still arrive, none of the container's can leave. */
export function lowerPropagation(_context: Context): Op[] {
  return [{ op: 'set-propagation', by: 'init', from: 'default', propagation: 'slave', flags: propagationFlags.slave }];
}

export function lowerRootfs(context: Context): Op[] {
  return [{ op: 'bind-rootfs', by: 'init', from: '/root/path', path: rootfsPath(context) }];
}

export function lowerEnterRoot({ options }: Context): Op[] {
  if (options.noPivot === true) return [{ op: 'move-root', by: 'init', from: '--no-pivot' }];
  return [{ op: 'pivot-root', by: 'init', from: '/root/path' }];
}

export function lowerReadonlyRoot({ spec }: Context): Op[] {
  return spec.root?.readonly === true ? [{ op: 'readonly-root', by: 'init', from: '/root/readonly' }] : [];
}
