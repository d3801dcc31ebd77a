import type { Op } from '../generated/ops.ts';
import type { Context } from './context.ts';

/** config.md, POSIX-platform Process, user. */
export function lowerUser({ spec, host }: Context): Op[] {
  const user = spec.process?.user;
  const ops: Op[] = [
    {
      op: 'set-user',
      by: 'init',
      from: '/process/user',
      uid: user?.uid ?? 0,
      gid: user?.gid ?? 0,
      groups: user?.additionalGids ?? [],
      keepGroups: false,
    },
  ];
  // "If unspecified, the umask should not be changed from the calling process' umask" (config.md).
  ops.push({ op: 'set-umask', by: 'init', from: '/process/user/umask', mask: user?.umask ?? host.umask });
  return ops;
}
