import type { Op } from '../../generated/ops.ts';
import { type Context, exactInteger, namespaceOf } from '../context.ts';
import { rlimitNumbers } from './rlimits.ts';
import { lowerOwnStdioOutside } from './user.ts';

/**
 * Init's first steps, still in the runtime's namespaces and with its privileges: they undo what Node has left behind,
 * and do what a user namespace would forbid.
 */
export function lowerReset(context: Context, { allCpus = true } = {}): Op[] {
  return [
    // Before reset-process, which makes the file root's.
    ...lowerOomScoreAdj(context),
    preferOomKill,
    { op: 'reset-process', by: 'init', from: 'default', nofileSoft: context.host.nofileSoft, allCpus },
    ...lowerHardLimits(context),
    ...lowerOwnStdioOutside(context),
  ];
}

/** Starts a session in the process that stays: only the leader of a session can have a controlling terminal. */
export function lowerSession(_context: Context): Op[] {
  return [{ op: 'new-session', by: 'init', from: 'default' }];
}

/** config.md, Linux Process, oomScoreAdj. */
function lowerOomScoreAdj({ spec }: Context): Op[] {
  const value = spec.process?.oomScoreAdj;
  if (value === undefined) return [];
  return [{ op: 'set-oom-score-adj', by: 'init', from: '/process/oomScoreAdj', value }];
}

/**
 * While init sets itself up, the OOM killer shall take init, and not a program that is there already: one of the same
 * container, in an exec, or of another one below the same limit.
 */
const preferOomKill: Op = { op: 'prefer-oom-kill', by: 'init', from: 'default' };

export const restoreOomScoreAdj: Op = { op: 'restore-oom-score-adj', by: 'init', from: 'default' };

/** Sets hard limits above the caller's, which a process in a user namespace may not do. */
function lowerHardLimits(context: Context): Op[] {
  if (namespaceOf(context, 'user') === undefined) return [];
  return rlimitsOf(context).map(({ from, type, resource, hard }) => {
    return { op: 'raise-hard-limit', by: 'init', from, type, resource, hard };
  });
}

/** config.md, POSIX Process, rlimits. Limits that are not listed stay as the caller had them. */
export function lowerLimits(context: Context): Op[] {
  return rlimitsOf(context).map((limit) => ({ op: 'set-rlimit', by: 'init', ...limit }));
}

function rlimitsOf(context: Context) {
  return (context.spec.process?.rlimits ?? []).map(({ type, soft, hard }, index) => {
    const from = `/process/rlimits/${index}`;
    return {
      from,
      type,
      resource: rlimitNumbers[type],
      soft: exactInteger(context, `${from}/soft`, soft),
      hard: exactInteger(context, `${from}/hard`, hard),
    };
  });
}

export function lowerNoNewPrivileges({ spec }: Context): Op[] {
  if (spec.process?.noNewPrivileges !== true) return [];
  return [{ op: 'no-new-privileges', by: 'init', from: '/process/noNewPrivileges' }];
}
