import { resolve } from 'node:path';
import { defaultRoot } from '../container/root.ts';
import { TsrunError } from '../errors.ts';
import { configureLog, type LogLevel, logLevels } from '../log.ts';
import { type CgroupManager, cgroupManagers } from '../lower/context.ts';
import { configureTrace } from '../run/trace.ts';
import type { GlobalOptions, OptionDeclaration, OptionValues } from './declaration.ts';

/** Options that stand before the command. */
export const globalOptions: readonly OptionDeclaration[] = [
  {
    flags: '--root <dir>',
    description:
      'directory of the containers’ state (default: /run/tsrun, or $XDG_RUNTIME_DIR/tsrun when not the host’s root)',
  },
  { flags: '--log <file>', description: 'append log lines to this file; an error goes to stderr, too' },
  { flags: '--log-format <format>', description: 'format of log lines', choices: ['text', 'json'], default: 'text' },
  {
    flags: '--log-level <level>',
    description:
      'least important lines to log (default: warning; a JSON --log gets warnings only when the command succeeds)',
    choices: [...logLevels],
  },
  { flags: '--debug', description: 'the same as --log-level debug' },
  {
    flags: '--trace <file>',
    description: 'write when each op of create, start, run or exec ran, as a Chrome trace (JSON)',
  },
  { flags: '--systemd-cgroup', description: 'the same as --cgroup-manager systemd' },
  {
    flags: '--cgroup-manager <manager>',
    description:
      'who makes the cgroup: tsrun itself, systemd (cgroupsPath is then slice:prefix:name), or nobody, so that the ' +
      'container stays in the caller’s (default: cgroupfs)',
    choices: [...cgroupManagers],
  },
  {
    flags: '--rootless <mode>',
    description: 'whether cgroups may be missing without an error',
    choices: ['true', 'false', 'auto'],
    default: 'auto',
  },
];

/** Checks the global options and sets up the log. */
export function readGlobals(values: OptionValues): GlobalOptions {
  readLog(values);
  configureTrace((values.trace as string | undefined) || undefined);
  const root = values.root as string | undefined;
  if (root === '') throw new TsrunError('--root: must not be empty');
  return {
    root: root === undefined ? defaultRoot() : resolve(root),
    cgroupManager: cgroupManagerOf(values),
    rootless: values.rootless as GlobalOptions['rootless'],
  };
}

function cgroupManagerOf({ systemdCgroup, cgroupManager }: OptionValues): CgroupManager {
  const named = cgroupManager as CgroupManager | undefined;
  if (systemdCgroup !== true) return named ?? 'cgroupfs';
  if (named === undefined || named === 'systemd') return 'systemd';
  throw new TsrunError(`--systemd-cgroup: contradicts --cgroup-manager ${named}`, { hint: 'leave one of them out' });
}

/** Sets up the log. */
export function readLog(values: OptionValues): void {
  const level = values.debug === true ? 'debug' : (values.logLevel as LogLevel | undefined);
  const log = values.log as string | undefined;
  configureLog({
    file: log === undefined || log === '' ? undefined : logFile(log),
    format: values.logFormat as 'text' | 'json',
    level,
  });
}

/** The path of the log. As in crun, `file:` may stand before it; crun's other kinds of log are not supported. */
function logFile(log: string): string {
  const [scheme, ...rest] = log.split(':');
  if (scheme === 'journald' || scheme === 'syslog') {
    throw new TsrunError(`--log ${log}: tsrun does not write to ${scheme}`, {
      hint: 'give a file, or leave --log out and pipe stderr to systemd-cat(1) or logger(1)',
    });
  }
  return resolve(scheme === 'file' ? rest.join(':') : log);
}
