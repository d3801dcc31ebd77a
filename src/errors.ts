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

  constructor(message: string, options: { hint?: string | undefined; exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }

  /** Message and hint on one line, as it goes to stderr and to --log. (JavaScriptCore gives every error a `line` of its own.) */
  get asLine(): string {
    return oneLine(this.hint === undefined ? this.message : `${this.message} (hint: ${this.hint})`);
  }
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

/** Itself, or what the machine or a limit has run out of; undefined for what nobody has foreseen. */
export function asTsrunError(error: unknown): TsrunError | undefined {
  if (error instanceof TsrunError) return error;
  const hint = resourceHint(error);
  return hint === undefined ? undefined : new TsrunError((error as Error).message, { hint });
}

/**
 * For a catch that takes any error for "it is not there": what could not be looked at may well be there.
 *
 * @throws the error, when the machine or a limit has run out of something
 */
export function rethrowExhausted(error: unknown): void {
  if (resourceHint(error) !== undefined) throw error;
}

const resourceHints: Readonly<Record<string, string>> = {
  EMFILE: 'too many open files for this process: raise its limit (ulimit -n)',
  ENFILE: 'too many open files on this machine: see fs.file-max of sysctl(8)',
  ENOMEM: 'out of memory: free some, or raise the limit of the cgroup that tsrun runs in',
};
