import { TsrunError } from '../errors.ts';
import type { Op } from '../generated/ops.ts';
import type { User } from '../generated/spec.ts';
import type { Context } from './context.ts';
import { demandMapped, deniesSetgroups } from './id-maps.ts';

/** config.md, POSIX-platform Process, user. */
export function lowerUser(context: Context): Op[] {
  const { spec, host } = context;
  const { uid = 0, gid = 0, additionalGids: groups = [], umask } = spec.process?.user ?? ({} as Partial<User>);
  demandMapped(context, 'uid', uid, '/process/user/uid');
  demandMapped(context, 'gid', gid, '/process/user/gid');
  groups.forEach((group, i) => {
    demandMapped(context, 'gid', group, `/process/user/additionalGids/${i}`);
  });
  const keepGroups = deniesSetgroups(context);
  if (keepGroups && groups.length > 0) {
    throw new TsrunError('/process/user/additionalGids: cannot be set where only one group is mapped', {
      hint: 'map more with subordinate group IDs (/etc/subgid), or leave it out',
    });
  }
  return [
    { op: 'set-user', by: 'init', from: '/process/user', uid, gid, groups, keepGroups },
    // "If unspecified, the umask should not be changed from the calling process' umask" (config.md).
    { op: 'set-umask', by: 'init', from: '/process/user/umask', mask: umask ?? host.umask },
  ];
}
