import { resolve } from 'node:path';
import type { Context } from '../context.ts';

/** Absolute path of the rootfs: root.path, relative to the bundle (config.md, Root). */
export function rootfsPath({ spec, options }: Pick<Context, 'spec' | 'options'>): string {
  return resolve(options.bundle, spec.root?.path ?? 'rootfs');
}
