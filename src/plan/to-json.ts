import type { DeviceRule, Op, UnitProperty } from '../generated/ops.ts';
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
  for (const value of Object.values(op)) if (!isPrintable(value)) return JSON.parse(JSON.stringify(op, replacer));
  return op;
}

function isPrintable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint';
  return Array.isArray(value) && (value.length === 0 || typeof value[0] === 'string');
}

function replacer(name: string, value: unknown): unknown {
  if (name === 'rules') return (value as readonly DeviceRule[]).map(formatDeviceRule);
  if (name === 'properties') return (value as readonly UnitProperty[]).map(formatProperty);
  if (typeof value === 'bigint') return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value;
}
