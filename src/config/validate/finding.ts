/** What validation finds in a configuration, and how to show it. */
import { TsrunError } from '../../errors.ts';
import { maxSchemaErrors } from './schema.ts';

/** Something wrong with one value, before its place in the file is known. */
export interface Problem {
  /** JSON pointer of the value, or of the object that lacks one. */
  pointer: string;
  /** What is expected, and what was found. */
  message: string;
  /** What is probably meant, or what to do; a function if it takes work to find out. */
  hint?: string | (() => string | undefined) | undefined;
  /** Only for a warning: see Rule. */
  harmless?: true | undefined;
}

export interface Finding extends Problem {
  hint?: string | undefined;
  /** Name of the check: `schema`, `unknown-property` or a rule of src/config/validate/rules. */
  rule: string;
  /** Line in the file, counted from 1. */
  line: number;
  /** In characters, counted from 1. */
  column: number;
}

/** `config.json:12:7: /process/cwd: must be an absolute path, found "foo" (hint)` */
export function showFinding({ pointer, message, hint, line, column }: Finding, path: string): string {
  const subject = pointer === '' ? '' : `${pointer}: `;
  return `${path}:${line}:${column}: ${subject}${message}${hint === undefined ? '' : ` (${hint})`}`;
}

/** The most lines in one error's message; `findings` has all findings. */
const maxShown = 20;

/** The error for a configuration that is valid JSON but not a valid Spec. */
export class SpecError extends TsrunError {
  override name = 'SpecError';
  override readonly findings: readonly Finding[];
  readonly source: { readonly path: string; readonly text: string };

  /** @param source of the configuration, for the message */
  constructor(findings: readonly Finding[], source: { path: string; text: string }) {
    const { path } = source;
    super(findings.length === 1 ? showFinding(findings[0] as Finding, path) : summary(findings, path), {
      code: 'EINVALIDSPEC',
    });
    this.findings = findings;
    this.source = source;
  }
}

/** A line with the path and the count, then a line for each finding with only the file's name. */
function summary(findings: readonly Finding[], path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const shown = findings.slice(0, maxShown).map((finding) => showFinding(finding, name));
  const rest = findings.length > maxShown ? [`and ${findings.length - maxShown} more`] : [];
  const count = findings.length === maxSchemaErrors ? `${maxSchemaErrors} or more` : findings.length;
  return [`${count} errors in ${path}`, ...shown, ...rest].join('\n');
}

/** The most characters of a value that a message quotes. */
const maxQuoted = 60;

/** A value as messages show it, cut if it is long. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length <= maxQuoted ? text : `${text.slice(0, maxQuoted)}… (${text.length} characters)`;
}
