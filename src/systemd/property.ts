/** A property of a unit as StartTransientUnit takes it (org.freedesktop.systemd1(5)). */
export interface UnitProperty {
  readonly name: string;
  /** D-Bus signature. */
  readonly type: string;
  /** By `type`: arrays and structs as arrays, 64-bit numbers as decimal text. */
  readonly value: unknown;
}

/** `MemoryMax t "1048576"`: name, signature and the value as JSON, for plans. */
export function formatProperty({ name, type, value }: UnitProperty): string {
  return `${name} ${type} ${JSON.stringify(value)}`;
}

/** Reads what formatProperty writes. */
export function parseProperty(text: string): UnitProperty {
  const [name = '', type = ''] = text.split(' ', 2);
  return { name, type, value: JSON.parse(text.slice(name.length + type.length + 2)) };
}

/** The largest uint64, which systemd takes for infinity. */
export const infinity = '18446744073709551615';

/** A 64-bit property from what a cgroup file would hold: a decimal number, or `max`. */
export function uint64(name: string, value: string): UnitProperty {
  return { name, type: 't', value: value === 'max' ? infinity : value };
}
