import type { PartSource } from '../config/locate.ts';
import { TsrunError } from '../errors.ts';
import type { Process } from '../generated/spec.ts';
import { capabilityBit } from '../linux/capabilities.ts';

/** The value of --user: numbers, or names to look up in the container's own files. */
export interface ExecUser {
  uid?: number;
  gid?: number;
  userName?: string;
  groupName?: string;
}

export interface ProcessOptions {
  command: readonly string[];
  /** Reads --process. */
  file: (() => ProcessFile) | undefined;
  cwd: string | undefined;
  env: readonly string[];
  tty: boolean;
  user: ExecUser;
  additionalGids: readonly string[];
  label: string | undefined;
  apparmor: string | undefined;
  noNewPrivileges: boolean;
  capabilities: readonly string[];
}

/** What the file of --process gives. */
export interface ProcessFile {
  readonly process: Process;
  readonly source: PartSource;
}

/** A process, and what it was before the command line changed it. */
export interface MadeProcess {
  readonly process: Process;
  readonly given: Partial<Process>;
  /** The source of `given`; absent: it is the container's config. */
  readonly source?: PartSource | undefined;
}

/** Makes the process of an exec: the one in --process, or the container's own with the command line's changes. */
export function processMaker(options: ProcessOptions): (own: Process | undefined) => MadeProcess {
  if (options.file !== undefined && options.command.length > 0) {
    throw new TsrunError('--process: cannot be combined with a command', { hint: 'the command is /args of the file' });
  }
  if (options.file === undefined && options.command.length === 0) {
    throw new TsrunError('process args cannot be empty', { hint: 'tsrun exec ID COMMAND, or --process FILE' });
  }
  return (own) => {
    if (options.file !== undefined) return made(options.file(), options);
    return { ...made({ process: fromContainer(own, options) }, options), given: own ?? {} };
  };
}

function made(
  { process, source }: Partial<ProcessFile> & Pick<ProcessFile, 'process'>,
  options: ProcessOptions,
): MadeProcess {
  return { process: withFlags(process, options), given: process, source };
}

function fromContainer(own: Process | undefined, { command, tty }: ProcessOptions): Process {
  if (own === undefined) throw new TsrunError('the container has no process to take defaults from');
  // The command line decides anew about the terminal; the size was for the first process.
  const { consoleSize: _consoleSize, ...rest } = own;
  return { ...rest, args: [...command], terminal: tty };
}

function withFlags(process: Process, options: ProcessOptions): Process {
  const changed: Process = { ...process, env: [...(process.env ?? []), ...options.env.map(envEntry)] };
  if (options.cwd !== undefined) changed.cwd = demandAbsolute(options.cwd);
  if (options.tty) changed.terminal = true;
  if (options.label !== undefined) changed.selinuxLabel = options.label;
  if (options.apparmor !== undefined) changed.apparmorProfile = options.apparmor;
  if (options.noNewPrivileges) changed.noNewPrivileges = true;
  changed.user = withUser(process.user ?? {}, options);
  changed.capabilities = withCapabilities(process.capabilities, options.capabilities);
  return changed;
}

function demandAbsolute(cwd: string): string {
  if (cwd.startsWith('/')) return cwd;
  throw new TsrunError(`--cwd ${JSON.stringify(cwd)}: must be an absolute path`, {
    hint: 'it is a path inside the container',
  });
}

/** `NAME=value`. For a NAME alone runc makes an entry that getenv(3) does not find. */
function envEntry(text: string): string {
  if (text.indexOf('=') > 0) return text;
  throw new TsrunError(`--env ${JSON.stringify(text)}: expected name=value`);
}

function withUser(user: NonNullable<Process['user']>, { user: asked, additionalGids }: ProcessOptions) {
  const changed = { ...user };
  if (asked.uid !== undefined) changed.uid = asked.uid;
  if (asked.gid !== undefined) changed.gid = asked.gid;
  const more = additionalGids.map((text) => parseId(text, '--additional-gids'));
  if (more.length > 0) changed.additionalGids = [...(user.additionalGids ?? []), ...more];
  return changed;
}

/**
 * The inheritable set stays as it is: a capability there would outlive a change of user (CVE-2022-29162). The ambient
 * set can hold no more than it, so it gains only capabilities that the config makes inheritable.
 */
function withCapabilities(
  own: Process['capabilities'],
  asked: readonly string[],
): NonNullable<Process['capabilities']> {
  const more = asked.map(capabilityName);
  const add = (set: readonly string[] | undefined) => [...(set ?? []), ...more];
  return {
    ...own,
    ...(own?.inheritable?.length && { ambient: add(own.ambient) }),
    bounding: add(own?.bounding),
    effective: add(own?.effective),
    permitted: add(own?.permitted),
  };
}

/**
 * Takes `CAP_KILL`, `cap_kill` or `kill`. An unknown name in a config is left out with a warning; here it is a mistake.
 */
function capabilityName(text: string): string {
  const name = text.toUpperCase().replace(/^(CAP_)?/, 'CAP_');
  if (capabilityBit(name) !== undefined) return name;
  throw new TsrunError(`--cap: unknown capability ${JSON.stringify(text)}`, { hint: 'see capabilities(7)' });
}

/**
 * Takes `uid`, `uid:gid`, `name`, `name:group`, and mixtures. Numbers are read strictly: crun once accepted trailing
 * garbage and ran a process as another user (CVE-2026-30892).
 */
export function parseUser(text: string): ExecUser {
  const [user = '', group, ...rest] = text.split(':');
  if (user === '' || group === '' || rest.length > 0) {
    throw new TsrunError(`--user ${JSON.stringify(text)}: expected uid, uid:gid, name or name:group`);
  }
  const result: ExecUser = {};
  if (/^[0-9]/.test(user)) result.uid = parseId(user, '--user');
  else result.userName = user;
  if (group === undefined) return result;
  if (/^[0-9]/.test(group)) result.gid = parseId(group, '--user');
  else result.groupName = group;
  return result;
}

function parseId(text: string, option: string): number {
  const id = Number(text);
  if (!/^\d{1,10}$/.test(text) || id > 0xfffffffe) {
    throw new TsrunError(`${option}: expected a number up to 4294967294, found ${JSON.stringify(text)}`);
  }
  return id;
}
