import { TsrunError } from '../errors.ts';

/** A value with its D-Bus type. */
export interface Variant {
  readonly type: string;
  readonly value: unknown;
}

/** Keywords that set a number's type (GVariant text format), and the type's range. */
const numberTypes: Readonly<Record<string, readonly [type: string, least: bigint, most: bigint]>> = {
  byte: ['y', 0n, 255n],
  int16: ['n', -(2n ** 15n), 2n ** 15n - 1n],
  uint16: ['q', 0n, 2n ** 16n - 1n],
  int32: ['i', -(2n ** 31n), 2n ** 31n - 1n],
  uint32: ['u', 0n, 2n ** 32n - 1n],
  int64: ['x', -(2n ** 63n), 2n ** 63n - 1n],
  uint64: ['t', 0n, 2n ** 64n - 1n],
};

/**
 * Parses a value in the text form of GVariant, as runc and crun take it in annotations org.systemd.property.*: a string
 * in quotes, true or false, a number (int32 without a keyword such as uint64 before it), or an array of one type.
 *
 * @throws TsrunError that says where the text becomes invalid
 */
export function parseVariant(text: string): Variant {
  const reader = new Reader(text);
  const variant = reader.value();
  reader.end();
  return variant;
}

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  value(): Variant {
    if (this.take('[')) return this.array();
    const string = this.match(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/y);
    if (string) return { type: 's', value: unquote(string[1] ?? string[2] ?? '') };
    const boolean = this.match(/(true|false)\b/y);
    if (boolean) return { type: 'b', value: boolean[1] === 'true' };
    return this.number();
  }

  end(): void {
    this.skipBlanks();
    if (this.at < this.text.length) throw this.bad();
  }

  private array(): Variant {
    const items: Variant[] = [];
    while (!this.take(']')) {
      if (items.length > 0 && !this.take(',')) throw this.bad();
      items.push(this.value());
    }
    const type = items[0]?.type;
    // An empty array gives no type to infer, and an array of several types does not exist in D-Bus.
    if (type === undefined || items.some((item) => item.type !== type)) throw this.bad();
    return { type: `a${type}`, value: items.map(({ value }) => value) };
  }

  private number(): Variant {
    const keyword = this.match(/(byte|u?int(?:16|32|64)|double)\b/y)?.[1];
    const digits = this.match(/[+-]?\d+(\.\d+)?/y)?.[0];
    if (digits === undefined) throw this.bad();
    if (keyword === 'double' || (keyword === undefined && digits.includes('.'))) {
      return { type: 'd', value: Number(digits) };
    }
    const [type, least, most] = numberTypes[keyword ?? 'int32'] as readonly [string, bigint, bigint];
    const value = digits.includes('.') ? undefined : BigInt(digits);
    if (value === undefined || value < least || value > most) throw this.bad();
    return { type, value: 'xt'.includes(type) ? value.toString() : Number(value) };
  }

  private take(sign: string): boolean {
    this.skipBlanks();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    this.skipBlanks();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  private skipBlanks(): void {
    while (this.text[this.at] === ' ') this.at++;
  }

  private bad(): TsrunError {
    return new TsrunError(`not a D-Bus value at character ${this.at + 1}: ${JSON.stringify(this.text)}`, {
      hint: "such as 'text', true, 5, uint64 5000000 or ['a', 'b']",
    });
  }
}

function unquote(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}
