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

/** Control characters would let a hostile config forge log lines or move a terminal's cursor. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  return text.replace(/\s*\n\s*/g, '; ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '\uFFFD');
}

/** `ENOENT` and its like of what Node or the addon threw. */
export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error';
}
