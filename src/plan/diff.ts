/** Compares two plans by what their steps are and where they act; numbers do not count. */
import type { Op } from '../generated/ops.ts';
import { type Style, styles } from '../style.ts';
import type { Plan } from './plan.ts';
import { valuesOf } from './print.ts';

/** All ops that come from one entry of the config, such as those that make a mount; or a single op. */
interface Step {
  /**
   * Identifies the step in the other plan: the property without its entry's number, and the path that the step acts on.
   */
  readonly key: string;
  readonly from: string;
  readonly text: string;
}

/** Slots and counters, which shift with every entry that is inserted. */
const internal = new Set(['number', 'slot', 'tree', 'namespaceFd', 'namespace', 'ns', 'state', 'socket', 'hostFile']);

/**
 * @returns a line for each step that is missing from one plan or differs: `-` for the old plan's, `+` for the new
 *   one's; empty when both plans do the same
 */
export function diffPlans(old: Plan, now: Plan, style: Style = styles(false)): string {
  const before = keyed(stepsOf(old.ops));
  const after = keyed(stepsOf(now.ops));
  const lines: string[] = [];
  for (const [key, step] of before) {
    if (after.get(key)?.text === step.text) continue;
    lines.push(style.red(`- ${show(step)}`));
    const changed = after.get(key);
    if (changed !== undefined) lines.push(style.green(`+ ${show(changed)}`));
  }
  for (const [key, step] of after) if (!before.has(key)) lines.push(style.green(`+ ${show(step)}`));
  return lines.map((line) => `${line}\n`).join('');
}

function show({ from, text }: Step): string {
  return `${from}: ${text}`;
}

/** Steps with the same key are told apart by a count. */
function keyed(steps: readonly Step[]): Map<string, Step> {
  const found = new Map<string, Step>();
  for (const step of steps) {
    let key = step.key;
    for (let count = 2; found.has(key); count++) key = `${step.key} ${count}`;
    found.set(key, step);
  }
  return found;
}

function stepsOf(ops: readonly Op[]): Step[] {
  const byEntry = new Map<string, Op[]>();
  for (const op of ops) {
    const entry = entryOf(op);
    byEntry.set(entry, [...(byEntry.get(entry) ?? []), op]);
  }
  return [...byEntry].map(([entry, [first, ...rest]]) => stepOf(entry, [first as Op, ...rest]));
}

/** `/mounts/3` for everything that comes from it. A property that is not in a list's entry stands by itself. */
function entryOf(op: Op): string {
  const entry = /^\/.*?\/\d+(?=\/|$)/.exec(op.from)?.[0];
  return entry ?? `${op.from} ${op.op} ${op.from === 'default' ? placeOf(op) : ''}`;
}

function stepOf(entry: string, ops: readonly [Op, ...Op[]]): Step {
  const [first] = ops;
  const isEntry = /\/\d+$/.test(entry);
  const place = ops.map(placeOf).find((found) => found !== '') ?? '';
  return {
    key: isEntry ? `${entry.replace(/\/\d+$/, '')} ${place}` : entry,
    from: isEntry ? entry : first.from,
    text: textOf(ops, place),
  };
}

/** Shows the path once for all ops. */
function textOf(ops: readonly Op[], place: string): string {
  const texts = ops.map((op) => {
    const values = valuesOf(op, false).filter(([name, text]) => !internal.has(name) && text !== place);
    return [op.op, ...values.map(([name, text]) => `${name}=${text}`)].join(' ');
  });
  return [place, texts.join('; ')].filter(Boolean).join(' ');
}

/** What an op acts on. */
function placeOf(op: Op): string {
  const fields = op as unknown as Record<string, unknown>;
  const named = ['destination', 'path', 'file', 'key', 'device', 'type'].map((name) => fields[name]);
  return String(named.find((value) => typeof value === 'string') ?? '');
}
