import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { User } from '../../generated/spec.ts';
import type { Context } from '../context.ts';
import { demandMapped, deniesSetgroups, hostUid } from '../namespaces/id-maps.ts';

/** Changes the owner, as runc and crun do: otherwise a program that is not root could not open its own /dev/stderr. */
function lowerOwnStdio({ spec: { process } }: Context): Op[] {
  if (process === undefined) return [];
  const { terminal = false, user } = process;
  return [{ op: 'own-stdio', by: 'init', from: '/process/user', uid: user?.uid ?? 0, terminal }];
}

/** Does the same from outside a user namespace, because the caller's IDs mean nothing inside it. */
export function lowerOwnStdioOutside(context: Context): Op[] {
  const uid = hostUid(context);
  if (uid === undefined || context.spec.process?.terminal === true) return [];
  return [{ op: 'own-stdio', by: 'init', from: '/process/user', uid, terminal: false }];
}

/**
 * crun's annotation, also sent for `podman run --group-add keep-groups`: whatever its value, the process has the
 * supplementary groups of the runtime's caller, even those that its user namespace does not map.
 */
export const keepGroupsAnnotation = 'run.oci.keep_original_groups';

/** config.md, POSIX-platform Process, user. */
export function lowerUser(context: Context): Op[] {
  const { spec, host } = context;
  const { uid = 0, gid = 0, additionalGids: groups = [], umask } = spec.process?.user ?? ({} as Partial<User>);
  demandMapped(context, 'uid', uid, '/process/user/uid');
  demandMapped(context, 'gid', gid, '/process/user/gid');
  const kept = keepsGroups(context, groups);
  return [
    ...lowerOwnStdio(context),
    { op: 'set-user', by: 'init', from: '/process/user', uid, gid, groups: kept ? [] : groups, keepGroups: kept },
    // "If unspecified, the umask should not be changed from the calling process' umask" (config.md).
    { op: 'set-umask', by: 'init', from: '/process/user/umask', mask: umask ?? host.umask },
  ];
}

/** Whether the caller's groups stay, because the config asks for it or they cannot be set. */
function keepsGroups(context: Context, groups: readonly number[]): boolean {
  const place = '/process/user/additionalGids';
  if (Object.hasOwn(context.spec.annotations ?? {}, keepGroupsAnnotation)) {
    if (groups.length > 0)
      context.warnings.push({ pointer: place, message: `no effect with the annotation ${keepGroupsAnnotation}` });
    return true;
  }
  groups.forEach((group, i) => {
    demandMapped(context, 'gid', group, `${place}/${i}`);
  });
  if (!deniesSetgroups(context)) return false;
  if (groups.length === 0) return true;
  throw new TsrunError('cannot be set where only one group is mapped', {
    about: place,
    hint: 'map more with subordinate group IDs (/etc/subgid), or leave it out',
  });
}
