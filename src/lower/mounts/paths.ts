import type { Op } from '../../generated/ops.ts';
import type { Context } from '../context.ts';

/** config-linux.md, Readonly Paths. */
export function lowerReadonlyPaths({ linux }: Context): Op[] {
  return (linux.readonlyPaths ?? []).map((path, i) => ({
    op: 'readonly-path',
    by: 'init',
    from: `/linux/readonlyPaths/${i}`,
    path,
  }));
}

/** config-linux.md, Masked Paths. */
export function lowerMaskedPaths({ linux }: Context): Op[] {
  return (linux.maskedPaths ?? []).map((path, i) => ({
    op: 'mask-path',
    by: 'init',
    from: `/linux/maskedPaths/${i}`,
    path,
  }));
}
