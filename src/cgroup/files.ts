import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';
import { isGone } from './gone.ts';

/** A count from a cgroup file; above 2^53 a bigint, so that no digit is lost. */
export type Count = number | bigint;

/** What cgroup v1 showed for no limit, and runc still writes: the largest uint64. */
export const unlimited = 0xffff_ffff_ffff_ffffn;

/** The files of one cgroup. A missing file (its controller is off, or the kernel is older) reads as undefined. */
export class CgroupFiles {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  text(file: string): string | undefined {
    try {
      return readFileSync(join(this.path, file), 'utf8');
    } catch (error) {
      // EOPNOTSUPP: pressure files of a kernel started with psi=0.
      if (isGone(error) || errorCode(error) === 'EOPNOTSUPP') return undefined;
      throw error;
    }
  }

  /** Reads a file with one number; `max` becomes `unlimited`. */
  count(file: string): Count | undefined {
    const text = this.text(file)?.trim();
    return text === undefined ? undefined : toCount(text);
  }

  /** Reads a file with lines `key number`. */
  keyed(file: string): Record<string, Count> | undefined {
    const text = this.text(file);
    if (text === undefined) return undefined;
    const lines = text.split('\n').filter(Boolean);
    return Object.fromEntries(lines.map((line) => [line.split(' ')[0], toCount(line.split(' ')[1] ?? '0')]));
  }

  /** Reads a file with lines `name key=number key=number`. */
  nested(file: string): [string, Record<string, Count>][] {
    const lines = (this.text(file) ?? '').split('\n').filter(Boolean);
    return lines.map((line) => {
      const [name = '', ...pairs] = line.split(' ');
      const values = pairs.map((pair) => pair.split('=') as [string, string]);
      return [name, Object.fromEntries(values.map(([key, value]) => [key, toCount(value)]))];
    });
  }

  names(): string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  }
}

function toCount(text: string): Count {
  if (text === 'max') return unlimited;
  const number = Number(text);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? BigInt(text) : number;
}

/** a + b, where either may be above 2^53. */
export function sum(a: Count, b: Count): Count {
  return typeof a === 'bigint' || typeof b === 'bigint' ? BigInt(a) + BigInt(b) : a + b;
}
