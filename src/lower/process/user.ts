import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { User } from '../../generated/spec.ts';
import type { Context } from '../context.ts';
import { demandMapped, deniesSetgroups, hostUid } from '../namespaces/id-maps.ts';

/** As runc and crun do: a program that is not root could not open its own /dev/stderr otherwise. */
function lowerOwnStdio({ spec: { process } }: Context): Op[] {
  if (process === undefined) return [];
  const { terminal = false, user } = process;
  return [{ op: 'own-stdio', by: 'init', from: '/process/user', uid: user?.uid ?? 0, terminal }];
}

/** The same from outside of a user namespace, inside of which the caller's IDs mean nothing. */
export function lowerOwnStdioOutside(context: Context): Op[] {
  const uid = hostUid(context);
  if (uid === undefined || context.spec.process?.terminal === true) return [];
  return [{ op: 'own-stdio', by: 'init', from: '/process/user', uid, terminal: false }];
}

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
    ...lowerOwnStdio(context),
    { op: 'set-user', by: 'init', from: '/process/user', uid, gid, groups, keepGroups },
    // "If unspecified, the umask should not be changed from the calling process' umask" (config.md).
    { op: 'set-umask', by: 'init', from: '/process/user/umask', mask: umask ?? host.umask },
  ];
}
