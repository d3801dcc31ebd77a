import type { Op } from '../generated/ops.ts';
import type { Context } from './context.ts';
import { rlimitNumbers } from './rlimits.ts';

/** What init undoes of the runtime's own process. */
export function lowerReset({ host }: Context): Op[] {
  return [{ op: 'reset-process', by: 'init', from: 'default', nofileSoft: host.nofileSoft }];
}

/** A session and a keyring of its own. */
export function lowerSession({ options }: Context): Op[] {
  const ops: Op[] = [{ op: 'new-session', by: 'init', from: 'default' }];
  if (options.noNewKeyring !== true) {
    ops.push({ op: 'join-session-keyring', by: 'init', from: 'default', name: `_ses.${options.id}` });
  }
  return ops;
}

/** config.md, Process: rlimits, oomScoreAdj, umask. What is unset stays as the caller had it. */
export function lowerLimits({ spec }: Context): Op[] {
  const process = spec.process;
  const ops: Op[] = (process?.rlimits ?? []).map(({ type, soft, hard }, index) => ({
    op: 'set-rlimit',
    by: 'init',
    from: `/process/rlimits/${index}`,
    type,
    resource: rlimitNumbers[type] ?? 0,
    soft,
    hard,
  }));
  if (process?.oomScoreAdj !== undefined) {
    ops.push({ op: 'set-oom-score-adj', by: 'init', from: '/process/oomScoreAdj', value: process.oomScoreAdj });
  }
  return ops;
}

export function lowerNoNewPrivileges({ spec }: Context): Op[] {
  if (spec.process?.noNewPrivileges !== true) return [];
  return [{ op: 'no-new-privileges', by: 'init', from: '/process/noNewPrivileges' }];
}
