/** The process (config.md, Process). */
import type { User } from '../../../generated/spec.ts';
import { type Problem, show } from '../finding.ts';
import { duplicates, idProblems, isNumberList, mustBeAbsolute, type Rule, when } from './rule.ts';

/** The most characters on one side of the terminal: struct winsize has 16 bits. */
const maxConsoleSide = 65535;

/** NGROUPS_MAX in the kernel. */
const maxGroups = 65536;

export const processErrors: Rule[] = [
  {
    name: 'cwd-absolute',
    reads: ['/process/cwd'],
    check: ({ process }) => (process === undefined ? [] : mustBeAbsolute(process.cwd, '/process/cwd')),
  },
  {
    name: 'program-name-empty',
    reads: ['/process/args'],
    check: ({ process }) =>
      when(process?.args[0] === '', '/process/args/0', 'the name of the program must not be empty'),
  },
  {
    name: 'environment',
    reads: ['/process/env'],
    check: ({ process }) => environmentProblems(process?.env ?? [], '/process/env'),
  },
  {
    name: 'user-ids',
    reads: ['/process/user'],
    check: ({ process }) => userIdProblems(process?.user ?? {}),
  },
  {
    name: 'umask',
    reads: ['/process/user/umask'],
    check: ({ process }) => {
      const umask = process?.user?.umask ?? 0;
      return when(umask > 0o777, '/process/user/umask', `must be at most 511 (octal 0777), found ${umask}`);
    },
  },
  {
    name: 'rlimit-duplicate',
    reads: ['/process/rlimits'],
    check: ({ process }) => duplicates(process?.rlimits ?? [], '/process/rlimits', ({ type }) => type),
  },
  {
    name: 'rlimit-soft-above-hard',
    reads: ['/process/rlimits'],
    check: ({ process }) => {
      return (process?.rlimits ?? []).flatMap(({ type, soft, hard }, index) => {
        const message = () => `${type}: the soft limit must not be above the hard limit ${hard}, found ${soft}`;
        return when(soft > hard, `/process/rlimits/${index}/soft`, message, 'raise hard, or lower soft');
      });
    },
  },
  {
    name: 'oom-score-adj',
    reads: ['/process/oomScoreAdj'],
    check: ({ process }) => {
      const oomScoreAdj = process?.oomScoreAdj ?? 0;
      const message = () => `must be from -1000 to 1000, found ${oomScoreAdj}`;
      return when(Math.abs(oomScoreAdj) > 1000, '/process/oomScoreAdj', message);
    },
  },
  {
    name: 'console-size',
    reads: ['/process/consoleSize'],
    check: ({ process }) => {
      return (['height', 'width'] as const).flatMap((side) => {
        const size = process?.consoleSize?.[side] ?? 0;
        const message = () => `must be at most ${maxConsoleSide}, found ${size}`;
        return when(size > maxConsoleSide, `/process/consoleSize/${side}`, message);
      });
    },
  },
  {
    name: 'exec-cpu-affinity',
    reads: ['/process/execCPUAffinity'],
    check: ({ process }) => {
      return (['initial', 'final'] as const).flatMap((moment) => {
        const cpus = process?.execCPUAffinity?.[moment] ?? '';
        const message = () => `must be a list of CPUs such as 0-3,7, found ${show(cpus)}`;
        return when(cpus !== '' && !isNumberList(cpus), `/process/execCPUAffinity/${moment}`, message);
      });
    },
  },
];

export const processWarnings: Rule[] = [
  {
    name: 'username-without-uid',
    reads: ['/process/user/username'],
    check: ({ process }) => {
      const { username = '', uid } = process?.user ?? {};
      const message = () => `is for Windows: without uid the program runs as root, not as ${show(username)}`;
      const hint = 'set /process/user/uid and gid, numbers of the root filesystem’s /etc/passwd';
      return when(username !== '' && uid === undefined, '/process/user/username', message, hint);
    },
  },
  {
    name: 'console-size-without-terminal',
    // It "MUST be ignored" then, and docker writes it whenever its own caller has a terminal.
    harmless: true,
    reads: ['/process/consoleSize', '/process/terminal'],
    check: ({ process }) => {
      const isUseless = process?.consoleSize !== undefined && process.terminal !== true;
      return when(
        isUseless,
        '/process/consoleSize',
        'has no effect without a terminal',
        'set /process/terminal to true',
      );
    },
  },
];

/** To setresuid(2) and chown(2), (uid_t) -1 means "leave it": the process would stay root. */
function userIdProblems({ uid = 0, gid = 0, additionalGids = [] }: Partial<User>): Problem[] {
  const at = '/process/user';
  return [
    ...idProblems(uid, `${at}/uid`),
    ...idProblems(gid, `${at}/gid`),
    ...additionalGids.flatMap((id, index) => idProblems(id, `${at}/additionalGids/${index}`)),
    ...when(additionalGids.length > maxGroups, `${at}/additionalGids`, `must be at most ${maxGroups} groups`),
  ];
}

/** Entries that are not NAME=value (config.md after IEEE Std 1003.1, 8.1). */
export function environmentProblems(env: readonly string[], pointer: string): Problem[] {
  const problems: Problem[] = [];
  for (let index = 0; index < env.length; index++) {
    const entry = env[index] as string;
    if (entry.indexOf('=') > 0) continue;
    const hint = entry === '' || entry.startsWith('=') ? undefined : `for an empty value: ${show(`${entry}=`)}`;
    problems.push({
      pointer: `${pointer}/${index}`,
      message: `must have the form NAME=value, found ${show(entry)}`,
      hint,
    });
  }
  return problems;
}
