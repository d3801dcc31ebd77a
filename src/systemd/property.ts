import type { UnitProperty } from '../generated/ops.ts';

/** `MemoryMax t "1048576"`: name, signature, and the value as JSON, for plans and people. */
export function formatProperty({ name, type, value }: UnitProperty): string {
  return `${name} ${type} ${JSON.stringify(value)}`;
}

/** The largest uint64, which means infinity to systemd. */
export const infinity = '18446744073709551615';

/** A 64-bit property from a cgroup file's text: a decimal number, or `max`. */
export function uint64(name: string, value: string): UnitProperty {
  return { name, type: 't', value: value === 'max' ? infinity : value };
}
