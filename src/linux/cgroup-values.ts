/** What is in force already, for properties that mean something only together with another one. */
export interface CurrentLimits {
  /** memory.max in bytes; undefined is no limit. */
  readonly memory: number | undefined;
  /** First word of cpu.max: microseconds, or `max`. */
  readonly cpuQuota: string;
  /** Second word of cpu.max: microseconds. */
  readonly cpuPeriod: number;
  /** cpu.idle is 1. */
  readonly idle: boolean;
  /** cpu.weight; undefined where it has none. */
  readonly weight: string | undefined;
  /** The weight that comes back when idle ends. */
  readonly keptWeight: KeptWeight | undefined;
}

/** A weight that waits for the end of cpu.idle: the file and what to write to it. */
export interface KeptWeight {
  readonly file: string;
  readonly value: string;
}

/** Of a cgroup that has just been made. */
export const noLimits: CurrentLimits = {
  memory: undefined,
  cpuQuota: 'max',
  cpuPeriod: 100_000,
  idle: false,
  weight: undefined,
  keptWeight: undefined,
};

/**
 * A blockIO weight (10 to 1000) as one of io.weight (1 to 10000), where the BFQ scheduler and its io.bfq.weight, which
 * takes it as it is, are not there: runc's line through both ends.
 */
export function ioWeightOf(value: number): number {
  return Math.floor(1 + ((value - 10) * 9999) / 990);
}

/** Powers of 1024 that memparse() of the kernel knows. */
const units = 'kmgtpe';

/**
 * A number as the kernel reads it from a file of a cgroup: decimal, octal (0…) or hexadecimal (0x…).
 *
 * @param bytes whether a unit may follow, as in 64M
 * @returns undefined for other text, which the kernel refuses
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
