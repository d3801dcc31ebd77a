/**
 * JSON of a value that holds bigints: JSON.stringify refuses them, and as a number the largest uint64, which counters
 * have for "no limit", would be written as one that is larger still. Properties that are undefined are left out.
 */
export function toJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${toJson(inner)}`).join(',')}}`;
}

/** JSON for people's terminals too: JSON.stringify leaves C1 controls, line separators and bidirectional characters raw. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(invisible, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

const invisible = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
