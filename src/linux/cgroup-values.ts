/** The limits in force, for properties that only have a meaning together with another one. */
export interface CurrentLimits {
  /** memory.max in bytes; undefined: no limit. */
  readonly memory: number | undefined;
  /** First word of cpu.max: microseconds, or `max`. */
  readonly cpuQuota: string;
  /** Second word of cpu.max: microseconds. */
  readonly cpuPeriod: number;
  /** Whether cpu.idle is 1. */
  readonly idle: boolean;
  /** cpu.weight; undefined if the cgroup has none. */
  readonly weight: string | undefined;
  /** The weight to restore when idle ends. */
  readonly keptWeight: KeptWeight | undefined;
}

/** A weight that waits for the end of cpu.idle: the file, and what to write to it. */
export interface KeptWeight {
  readonly file: string;
  readonly value: string;
}

/** The limits of a new cgroup. */
export const noLimits: CurrentLimits = {
  memory: undefined,
  cpuQuota: 'max',
  cpuPeriod: 100_000,
  idle: false,
  weight: undefined,
  keptWeight: undefined,
};

/**
 * Converts a blockIO weight (10 to 1000) to one of io.weight (1 to 10000), with runc's line through both ends. This is
 * for hosts without the BFQ scheduler, whose io.bfq.weight takes the weight as it is.
 */
export function ioWeightOf(value: number): number {
  return Math.floor(1 + ((value - 10) * 9999) / 990);
}

/** Powers of 1024 that the kernel's memparse() knows. */
const units = 'kmgtpe';

/**
 * A number as the kernel reads it from a cgroup's file: decimal, octal (0…) or hexadecimal (0x…).
 *
 * @param bytes whether a unit may follow, as in 64M
 * @returns undefined for any other text, which the kernel refuses
 */
export function kernelNumber(text: string, bytes: boolean): bigint | 'max' | undefined {
  const trimmed = text.trim();
  if (trimmed === 'max') return 'max';
  const [, digits, unit = ''] = /^(0x[0-9a-f]+|\d+)([kmgtpe]?)$/i.exec(trimmed) ?? [];
  if (digits === undefined || (unit !== '' && !bytes)) return undefined;
  const isOctal = /^0\d/.test(digits);
  if (isOctal && /[89]/.test(digits)) return undefined;
  const number = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  return unit === '' ? number : number << BigInt(10 * (units.indexOf(unit.toLowerCase()) + 1));
}
