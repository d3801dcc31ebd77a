/**
 * The only error type of tsrun. Every failure ends up as a TsrunError. The CLI prints its message as one line, exits
 * with its code, and never shows a stack trace for it.
 */
export class TsrunError extends Error {
  override name = 'TsrunError';
  /** The CLI's exit code. */
  readonly exitCode: number;
  /** What the user can do about it; shown after the message. */
  readonly hint: string | undefined;
  /** JSON pointer of the property that the error is about. */
  readonly pointer: string | undefined;
  /** The message without what the error is about. */
  readonly text: string;
  /** The kind of failure, for programs. */
  readonly code: ErrorKind | (string & {});
  /** The kernel's errno, positive, if a system call has failed. */
  readonly errno: number | undefined;
  /** The plan's op, or the system call, that has failed. */
  readonly op: string | undefined;
  /** The place of that property; set by code that has the text (src/config/locate.ts). */
  place: ErrorPlace | undefined;
  /** All problems of a config; empty if the error is not the config's. */
  readonly findings: readonly ErrorFinding[] = [];

  /** @param text what is wrong; the message is this text, after what the error is about */
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

  /** Counted from 1, as is `column`, which counts characters. */
  get line(): number | undefined {
    return this.place?.line;
  }

  get column(): number | undefined {
    return this.place?.column;
  }

  /** Whether the message begins with what the error is about; then it begins with the place, too. */
  get isNamed(): boolean {
    return this.message !== this.text;
  }

  /**
   * Has the error speak of a document that is a part of a config.
   *
   * @param rename turns the pointers in a text into those of the document
   */
  renamePointers(pointer: string, rename: (text: string) => string): void {
    const { isNamed, hint } = this;
    const text = rename(this.text);
    const message = isNamed && pointer !== '' ? `${pointer}: ${text}` : text;
    Object.assign(this, { pointer, text, message, hint: hint && rename(hint) });
  }

  /** Message, place and hint on one line, for stderr and --log. */
  get asLine(): string {
    const { place, pointer, hint, message, isNamed } = this;
    const at = place && showErrorPlace(place);
    const after = [
      ...(at === undefined || isNamed ? [] : [`at ${at}${pointer ? `: ${pointer}` : ''}`]),
      ...(hint === undefined ? [] : [`hint: ${hint}`]),
    ];
    const before = at === undefined || !isNamed || message.startsWith(`${at}: `) ? '' : `${at}: `;
    return oneLine(`${before}${message}${after.length === 0 ? '' : ` (${after.join('; ')})`}`);
  }
}

/**
 * - `EINVALIDSPEC`: the config, or one of its properties on this host
 * - `EINVALIDARG`: an option or argument of the call
 * - `ENOTFOUND`, `EEXIST`: the container does not exist, or exists already
 * - `EWRONGSTATE`: the container's state does not allow it: not running, running already, stopped
 * - `ENOCONTROLLER`: a limit needs a cgroup controller that is missing
 * - `EPROGRAM`: the program is not in the container, or cannot be executed
 * - `EHOOK`: a hook has failed
 * - `ABORT_ERR`: the caller has aborted it
 * - `EFAILED`: anything else; if the system has refused something, the errno's name, such as `EACCES`
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
  // Node has a negative errno.
  return { code, errno: Math.abs(errno), ...(syscall !== undefined && { syscall }) };
}

export function showErrorPlace({ path, line, column }: ErrorPlace): string {
  return `${path}:${line}:${column}`;
}

export interface ErrorOptions {
  /** What the error is about: a JSON pointer, or the option that asked for it. The message begins with it. */
  about?: string | undefined;
  /** What the error is about if the message must begin with runc's words, because engines look for them. */
  pointer?: string | undefined;
  /** For an error about the text itself and not about a property. */
  place?: ErrorPlace | undefined;
  hint?: string | undefined;
  exitCode?: number;
  /** Only if it differs from the one that the cause, or the pointer, implies. */
  code?: ErrorKind | (string & {}) | undefined;
  errno?: number | undefined;
  op?: string | undefined;
  cause?: unknown;
}

/** One of several problems in a config. */
export interface ErrorFinding {
  /** JSON pointer of the value, or of the object that lacks one. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Name of the check. */
  readonly rule: string;
  /** Line in the file, counted from 1. */
  readonly line: number;
  /** In characters, counted from 1. */
  readonly column: number;
}

/** A place in a file, with the file's text. */
export interface ErrorPlace {
  readonly path: string;
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  /** In characters, counted from 1. */
  readonly column: number;
}

/**
 * Replaces characters that deceive. Control characters would let a hostile config forge log lines or move a terminal's
 * cursor; line separators end a line in programs that know them; bidirectional characters make people read another text
 * than there is (Unicode TR 36 and 9).
 */
export function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, '; ').replace(invisible, '\uFFFD');
}

const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The errno's name, such as `ENOENT`, of an error that Node or the addon threw. */
export function errorCode(error: unknown): string {
  const { code = 'unknown error' } = (error ?? {}) as NodeJS.ErrnoException;
  // ENOTSUP is Node's name; the manual pages and the addon have the other.
  return code === 'ENOTSUP' ? 'EOPNOTSUPP' : code;
}

/**
 * What to do when the machine or a limit has run out of something, wherever that happens; undefined for other errors.
 */
function resourceHint(error: unknown): string | undefined {
  return resourceHints[errorCode(error)];
}

/**
 * The error itself, or an unforeseen error of the system as a TsrunError, whose message from Node or the addon names
 * the error, the operation and the path. Undefined for an error that can only be a defect.
 */
export function asTsrunError(error: unknown): TsrunError | undefined {
  if (error instanceof TsrunError) return error;
  const { message, name, code, syscall } = error as NodeJS.ErrnoException;
  const isOfSystem = typeof code === 'string' && typeof syscall === 'string';
  if (isOfSystem) return new TsrunError(message, { hint: systemHint(error), cause: error });
  // The engine's own words when memory is full.
  if (name !== 'InternalError' || message !== 'out of memory') return undefined;
  return new TsrunError('ENOMEM: out of memory', { hint: resourceHints.ENOMEM });
}

/**
 * Names the property that an error is about, if the code that threw it could not. Errors of the system become
 * TsrunErrors; an error that can only be a defect stays as it is.
 *
 * @param from of the op that failed; it names no property unless it is a pointer
 */
export function aboutProperty(error: unknown, from: string): unknown {
  const known = from.startsWith('/') ? asTsrunError(error) : undefined;
  if (known === undefined) return error;
  if (known.pointer !== undefined) return known;
  return Object.assign(known, { pointer: from, code: known.code === 'EFAILED' ? 'EINVALIDSPEC' : known.code });
}

/** What to look at after an error of the system, wherever it happens. */
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
