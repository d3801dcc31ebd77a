import { normalize } from 'node:path';
import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';

/** config-linux.md, Readonly Paths. */
export function lowerReadonlyPaths({ linux }: Context): Op[] {
  return (linux.readonlyPaths ?? []).flatMap((asWritten, i) =>
    waysTo(asWritten).map((path): Op => ({ op: 'readonly-path', by: 'init', from: `/linux/readonlyPaths/${i}`, path })),
  );
}

/** config-linux.md, Masked Paths. */
export function lowerMaskedPaths({ linux }: Context): Op[] {
  return (linux.maskedPaths ?? []).flatMap((asWritten, i) =>
    waysTo(asWritten).map((path): Op => ({ op: 'mask-path', by: 'init', from: `/linux/maskedPaths/${i}`, path })),
  );
}

/**
 * A path with `..` is taken in two ways: by its text, as the destination of a mount is, so that it leads into that
 * mount whatever the mount point is called by then; and as the kernel does, in case a symbolic link comes before the
 * dots.
 */
export function waysTo(path: string): string[] {
  // Splitting a path costs more than looking for the dots, which hardly any path has.
  if (!path.includes('..') || !path.split('/').includes('..')) return [path];
  return [...new Set([normalize(path), path])];
}
