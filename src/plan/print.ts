import type { DeviceRule, Op, UnitProperty } from '../generated/ops.ts';
import { formatDeviceRule } from '../linux/device-rules.ts';
import { formatProperty } from '../systemd/property.ts';
import { type Plan, showWarning } from './plan.ts';

/** One line per op: its number, who runs it, what it does with which values, and the property it comes from. */
export function printPlan(plan: Plan): string {
  const lines = plan.ops.map((op, index) => {
    const number = String(index).padStart(3);
    return `${number} ${op.by.padEnd(7)} ${printOp(op)}  <- ${op.from}\n`;
  });
  const warnings = plan.warnings.map((warning) => `warning: ${showWarning(warning)}\n`);
  const notes = plan.notes.map((note) => `note: ${showWarning(note)}\n`);
  return [...lines, ...warnings, ...notes].join('');
}

/** The op's name and its values, as short as they can be without being unclear. */
function printOp(op: Op): string {
  const values = Object.entries(op)
    .filter(([name]) => name !== 'op' && name !== 'by' && name !== 'from')
    .map(([name, value]) => `${name}=${printValue(value)}`);
  return [op.op, ...values].join(' ');
}

function printValue(value: unknown): string {
  if (typeof value === 'bigint') return value > 0xffffn ? `0x${value.toString(16)}` : value.toString();
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (typeof value === 'string' && /^[\w./:@%+,=-]+$/.test(value)) return value;
  return JSON.stringify(value, (_name, inner) => (typeof inner === 'bigint' ? inner.toString() : inner));
}

/** The plan as JSON: stable, diffable; numbers beyond 2^53 as strings. */
export function planToJson(plan: Plan): string {
  const findings = { warnings: plan.warnings.map(showWarning), notes: plan.notes.map(showWarning) };
  const replacer = (name: string, value: unknown) => {
    if (name === 'rules') return (value as readonly DeviceRule[]).map(formatDeviceRule);
    if (name === 'properties') return (value as readonly UnitProperty[]).map(formatProperty);
    if (typeof value === 'bigint') return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return value;
  };
  return `${JSON.stringify({ ...plan, ...findings }, replacer, 2)}\n`;
}
