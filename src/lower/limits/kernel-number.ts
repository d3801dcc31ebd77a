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
