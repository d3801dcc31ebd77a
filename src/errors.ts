/**
 * The one error type of tsrun. Whatever goes wrong ends up as a TsrunError; the CLI prints its message as one line and
 * exits with its code, and never shows a stack trace for it.
 */
export class TsrunError extends Error {
  override name = 'TsrunError';
  /** Process exit code the CLI ends with. */
  readonly exitCode: number;
  /** What the user can do about it; shown after the message. */
  readonly hint: string | undefined;
  /** JSON pointer of the property that it is about. */
  readonly pointer: string | undefined;
  /** The message without what it is about. */
  readonly text: string;
  /** What kind of failure it is, for programs. */
  readonly code: ErrorKind | (string & {});
  /** Of the kernel's answer, where that is what has failed; positive. */
  readonly errno: number | undefined;
  /** The plan's op, or the system call, that has failed. */
  readonly op: string | undefined;
  /** Where that property is, once somebody knows who has the text (src/config/locate.ts). */
  place: ErrorPlace | undefined;
  /** All that is wrong with a config; empty for what is no config's fault. */
  readonly findings: readonly ErrorFinding[] = [];

  /** @param text what is wrong; the message is that, after what it is about */
  constructor(text: string, options: ErrorOptions = {}) {
    const { about, place, hint, exitCode = 1, cause } = options;
    const at = place === undefined ? '' : `${showErrorPlace(place)}: `;
    super(`${at}${about === undefined ? text : `${about}: ${text}`}`, cause === undefined ? undefined : { cause });
    this.hint = hint;
    this.exitCode = exitCode;
    this.text = text;
    this.place = place;
    this.pointer = options.pointer ?? (about?.startsWith('/') ? about : undefined);
    const { code, errno, syscall } = systemError(cause);
    this.code = options.code ?? code ?? (this.pointer === undefined ? 'EFAILED' : 'EINVALIDSPEC');
    this.errno = options.errno ?? errno;
    this.op = options.op ?? syscall;
  }

  /** The file that `place` is in. */
  get path(): string | undefined {
    return this.place?.path;
  }

  /** From 1, like `column`, which counts characters. */
  get line(): number | undefined {
    return this.place?.line;
  }

  get column(): number | undefined {
    return this.place?.column;
  }

  /** Whether what it is about stands before the text: then the place does, too. */
  get isNamed(): boolean {
    return this.message !== this.text;
  }

  /** Message, place and hint on one line, as it goes to stderr and to --log. */
  get asLine(): string {
    const { place, pointer, hint, message, isNamed } = this;
    const at = place && showErrorPlace(place);
    const after = [
      ...(at === undefined || isNamed ? [] : [`at ${at}: ${pointer}`]),
      ...(hint === undefined ? [] : [`hint: ${hint}`]),
    ];
    const before = at === undefined || !isNamed || message.startsWith(`${at}: `) ? '' : `${at}: `;
    return oneLine(`${before}${message}${after.length === 0 ? '' : ` (${after.join('; ')})`}`);
  }
}

/**
 * - `EINVALIDSPEC`: the config, or one of its properties on this host
 * - `EINVALIDARG`: an option or argument of the call
 * - `ENOTFOUND`, `EEXIST`: there is no such container, or there is one
 * - `EWRONGSTATE`: the container is not in a state for it: not running, running already, stopped
 * - `ENOCONTROLLER`: a limit needs a cgroup controller that is not there
 * - `EPROGRAM`: the program is not in the container, or cannot be executed
 * - `EHOOK`: a hook has failed
 * - `ABORT_ERR`: the caller has aborted it
 * - `EFAILED`: any other; where the system has refused something, the errno's name, such as `EACCES`
 */
export type ErrorKind =
  | 'EINVALIDSPEC'
  | 'EINVALIDARG'
  | 'ENOTFOUND'
  | 'EEXIST'
  | 'EWRONGSTATE'
  | 'ENOCONTROLLER'
  | 'EPROGRAM'
  | 'EHOOK'
  | 'ABORT_ERR'
  | 'EFAILED';

function systemError(cause: unknown): Partial<Pick<NodeJS.ErrnoException, 'code' | 'errno' | 'syscall'>> {
  const { code, errno, syscall } = (cause ?? {}) as NodeJS.ErrnoException;
  if (typeof code !== 'string' || typeof errno !== 'number') return {};
  // Node has them negative.
  return { code, errno: Math.abs(errno), ...(syscall !== undefined && { syscall }) };
}

export function showErrorPlace({ path, line, column }: ErrorPlace): string {
  return `${path}:${line}:${column}`;
}

export interface ErrorOptions {
  /** What the message is about and begins with: a JSON pointer, or the option that asked for it. */
  about?: string | undefined;
  /** What a message is about whose first words are runc's, as engines look for them. */
  pointer?: string | undefined;
  /** Of an error that is about the text itself and not about a property. */
  place?: ErrorPlace | undefined;
  hint?: string | undefined;
  exitCode?: number;
  /** Where it is not what the cause, or the pointer, says of itself. */
  code?: ErrorKind | (string & {}) | undefined;
  errno?: number | undefined;
  op?: string | undefined;
  cause?: unknown;
}

/** One of several things that are wrong with a config. */
export interface ErrorFinding {
  /** JSON pointer of the value, or of the object that lacks one. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Name of the check. */
  readonly rule: string;
  /** In the file, from 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
}

/** A place in a file, with the file's text. */
export interface ErrorPlace {
  readonly path: string;
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
}

/**
 * Control characters would let a hostile config forge log lines or move a terminal's cursor; line separators end a line
 * where they are known; bidirectional ones have a reader see another text than there is (Unicode TR 36 and 9).
 */
export function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, '; ').replace(invisible, '\uFFFD');
}

const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** `ENOENT` and its like of what Node or the addon threw. */
export function errorCode(error: unknown): string {
  const { code = 'unknown error' } = (error ?? {}) as NodeJS.ErrnoException;
  // Node's name for it; the manual pages and the addon have the other.
  return code === 'ENOTSUP' ? 'EOPNOTSUPP' : code;
}

/** What to do when the machine or a limit has run out of something, wherever that shows; undefined for other errors. */
export function resourceHint(error: unknown): string | undefined {
  return resourceHints[errorCode(error)];
}

/**
 * Itself, or the words for an error of the system that nobody has foreseen where it came: Node and the addon say the error,
 * the operation and the path. Undefined for what can only be a defect.
 */
export function asTsrunError(error: unknown): TsrunError | undefined {
  if (error instanceof TsrunError) return error;
  const { message, name, code, syscall } = error as NodeJS.ErrnoException;
  const isOfSystem = typeof code === 'string' && typeof syscall === 'string';
  if (isOfSystem) return new TsrunError(message, { hint: systemHint(error), cause: error });
  // The engine's own words for a memory that is full.
  if (name !== 'InternalError' || message !== 'out of memory') return undefined;
  return new TsrunError('ENOMEM: out of memory', { hint: resourceHints.ENOMEM });
}

/** What to look at after an error of the system, wherever it shows. */
export function systemHint(error: unknown): string | undefined {
  return resourceHint(error) ?? systemHints[errorCode(error)];
}

const resourceHints: Readonly<Record<string, string>> = {
  EMFILE: 'too many open files for this process: raise its limit (ulimit -n)',
  ENFILE: 'too many open files on this machine: see fs.file-max of sysctl(8)',
  ENOMEM: 'out of memory: free some, or raise the limit of the cgroup that tsrun runs in',
};

const systemHints: Readonly<Record<string, string>> = {
  EACCES: 'this user may not, or a security module forbids it: see its log',
  EAGAIN: 'the kernel asks to try again: is a limit on processes or memory reached?',
  EBUSY: 'it is in use: see mounts (findmnt) and open files (fuser)',
  EDQUOT: 'the quota of this user is used up',
  EFBIG: 'a file may not be so large here: see ulimit -f',
  EIO: 'a device, or the filesystem on it, has failed: see dmesg',
  ENOLCK: 'the filesystem has no locks, or none left: choose a directory on another with --root',
  ENOSPC: 'the filesystem is full',
  ENOSYS: 'this kernel, or a filter that tsrun runs under, has no such call',
  EPERM: 'this user may not, or a security module or a filter that tsrun runs under forbids it',
  EPIPE: 'a helper ended before it answered: was it killed?',
  EROFS: 'the filesystem is mounted read-only',
};
