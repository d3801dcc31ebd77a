import type { Op } from '../generated/ops.ts';
import { type Style, styles } from '../style.ts';
import { groupsOf, isEverywhere } from './groups.ts';
import { namingOf } from './names.ts';
import { type Plan, showWarning } from './plan.ts';

export interface PrintOptions {
  /** Also shows steps that every container has, and values that are mostly the same. */
  readonly all?: boolean;
  readonly style?: Style;
}

/**
 * Prints a plan for people: groups with a title, and a line for each op with its number, who runs it, what it does with
 * which values, and the property that it comes from.
 */
export function printPlan(plan: Plan, { all = false, style = styles(false) }: PrintOptions = {}): string {
  const groups = groupsOf(plan.ops).map(({ title, ops }) => {
    const shown = ops.filter(({ op }) => all || !isEverywhere(op));
    const lines = shown.map(({ op, index }) => `${String(index).padStart(3)} ${printOp(op, { all, style })}\n`);
    return lines.length === 0 ? '' : `${style.bold(title)}\n${lines.join('')}\n`;
  });
  const hidden = all ? 0 : plan.ops.filter(isEverywhere).length;
  const rest = hidden === 0 ? '' : style.dim(`${hidden} steps that every container has are shown with --all\n`);
  const warnings = plan.warnings.map((warning) => `${style.yellow('warning:')} ${showWarning(warning)}\n`);
  const notes = plan.notes.map((note) => `note: ${showWarning(note)}\n`);
  return [...groups, ...warnings, ...notes, rest].join('');
}

/** `init    set-hostname name=web  <- /hostname` */
export function printOp(op: Op, { all = false, style = styles(false) }: PrintOptions = {}): string {
  const values = valuesOf(op, all).map(([name, text]) => `${style.dim(`${name}=`)}${text}`);
  const what = [style.cyan(op.op), ...values].join(' ');
  return `${style.dim(op.by.padEnd(7))} ${what}  ${style.dim(`<- ${op.from}`)}`;
}

/** Names and texts of an op's own fields, as short as is still clear. */
export function valuesOf(op: Op, all: boolean): [name: string, text: string][] {
  return Object.entries(op).flatMap(([name, value]): [string, string][] => {
    if (name === 'op' || name === 'by' || name === 'from') return [];
    const naming = namingOf(op, name);
    const named = naming?.(value as never, op);
    if (named !== undefined) return [[name, quoted(named)]];
    if (!all && (naming !== undefined || isNothing(value))) return [];
    return [[name, printValue(value)]];
  });
}

function isNothing(value: unknown): boolean {
  return value === false || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function quoted(text: string): string {
  return /["\\]/.test(text) || text === '' ? JSON.stringify(text) : text;
}

function printValue(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (typeof value === 'string' && isPlain(value)) return value;
  if (Array.isArray(value) && value.length > 0 && value.every((each) => isPlain(String(each)))) return value.join();
  return JSON.stringify(value, (_name, inner) => (typeof inner === 'bigint' ? inner.toString() : inner));
}

/** Has no comma, because commas separate the items of a list. */
function isPlain(text: string): boolean {
  return /^[\w./:@%+=*-]+$/.test(text);
}
