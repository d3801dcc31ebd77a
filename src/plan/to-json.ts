import { numbersOf, opsWithOthers } from '../generated/op-values.ts';
import type { Op, UnitProperty } from '../generated/ops.ts';
import { formatDeviceRule } from '../linux/device-rules.ts';
import { formatProperty } from '../systemd/property.ts';
import { type Plan, showWarning } from './plan.ts';

/** The plan as JSON: stable and diffable; numbers above 2^53 become strings. */
export function planToJson(plan: Plan): string {
  const warnings = plan.warnings.map(showWarning);
  const notes = plan.notes.map(showWarning);
  return `${JSON.stringify({ ...plan, ops: plan.ops.map(printable), warnings, notes }, null, 2)}\n`;
}

/** Most ops are printed as they are, and a replacer would be called for each of their values. */
function printable(op: Op): unknown {
  if (op.op === 'filter-devices') return { ...op, rules: op.rules.map(formatDeviceRule) };
  if (!opsWithOthers.has(op.op) && !hasBigint(op)) return op;
  return JSON.parse(JSON.stringify(op, replacer));
}

function hasBigint(op: Op): boolean {
  for (const name of numbersOf[op.op]) if (typeof op[name as keyof Op] === 'bigint') return true;
  return false;
}

function replacer(name: string, value: unknown): unknown {
  if (name === 'properties') return (value as readonly UnitProperty[]).map(formatProperty);
  if (typeof value === 'bigint') return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value;
}
