import type { DeviceRule, UnitProperty } from '../generated/ops.ts';
import { formatDeviceRule } from '../linux/device-rules.ts';
import { formatProperty } from '../systemd/property.ts';
import { type Plan, showWarning } from './plan.ts';

/** The plan as JSON: stable and diffable; numbers above 2^53 become strings. */
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
