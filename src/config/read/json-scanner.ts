/**
 * A JSON parser (RFC 8259) that keeps positions instead of values. Usually JSON.parse does the work; this one runs when
 * a message needs a position: of a syntax error, a property given twice, or a value that the schema refuses.
 */
import { appendPointer } from './pointer.ts';

export interface JsonScan {
  /** Offset of each value in the text, by JSON pointer. For a property given twice, the last value counts. */
  values: Map<string, number>;
  /** Offset of each property's name, by JSON pointer of its value. */
  names: Map<string, number>;
  duplicates: { pointer: string; first: number; second: number }[];
  /** Set when the text is not JSON; the maps then end at the error. */
  error: { offset: number; message: string } | undefined;
}

/** @param maxDepth the deepest nesting of arrays and objects; a deeper one is an error */
export function scanJson(text: string, maxDepth: number): JsonScan {
  const scanner = new Scanner(text, maxDepth);
  try {
    scanner.document();
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
    scanner.result.error = { offset: error.offset, message: error.message };
  }
  return scanner.result;
}

class ScanError extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** The longest word that a message quotes. */
const maxWord = 20;

class Scanner {
  readonly result: JsonScan = { values: new Map(), names: new Map(), duplicates: [], error: undefined };
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;
  /** Offsets of the open brackets, to report one that is never closed. */
  readonly #open: number[] = [];

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): void {
    this.#space();
    if (this.#at === this.#text.length) this.#fail('the file is empty');
    this.#value('');
    this.#space();
    if (this.#at < this.#text.length) this.#fail(`unexpected ${this.#word()} after the end of the document`);
  }

  #value(pointer: string): void {
    this.#space();
    this.result.values.set(pointer, this.#at);
    const char = this.#text[this.#at];
    if (char === '{') this.#object(pointer);
    else if (char === '[') this.#array(pointer);
    else if (char === '"') this.#string();
    else if (char === '-' || isDigit(char)) this.#number();
    else this.#literal();
  }

  #object(pointer: string): void {
    this.#enter();
    const first = new Map<string, number>();
    if (!this.#take('}')) {
      do this.#property(pointer, first);
      while (this.#comma('}'));
    }
    this.#open.pop();
  }

  #property(pointer: string, first: Map<string, number>): void {
    this.#space();
    const start = this.#at;
    if (this.#text[start] !== '"') this.#notAName();
    const name = this.#string();
    const inner = appendPointer(pointer, name);
    const before = first.get(name);
    if (before !== undefined) this.result.duplicates.push({ pointer: inner, first: before, second: start });
    else first.set(name, start);
    this.result.names.set(inner, start);
    this.#space();
    if (!this.#take(':')) this.#fail(`expected a colon after the property name, found ${this.#word()}`);
    this.#value(inner);
  }

  #notAName(): never {
    this.#endOfText();
    const word = this.#word();
    if (word === '"}"') this.#fail('a comma before } is not allowed in JSON');
    this.#failAtWord(`expected a property name in double quotes, found ${word}`);
  }

  #array(pointer: string): void {
    this.#enter();
    if (!this.#take(']')) {
      let index = 0;
      do this.#value(`${pointer}/${index++}`);
      while (this.#comma(']'));
    }
    this.#open.pop();
  }

  #enter(): void {
    if (this.#open.length === this.#maxDepth) this.#fail(`nested deeper than ${this.#maxDepth} levels`);
    this.#open.push(this.#at++);
    this.#space();
  }

  /** True after a comma, false after the closing bracket. */
  #comma(close: string): boolean {
    this.#space();
    if (this.#take(close)) return false;
    if (!this.#take(',')) this.#failAtWord(`expected a comma or ${close}, found ${this.#word()}`);
    this.#space();
    if (this.#text[this.#at] === close) this.#fail(`a comma before ${close} is not allowed in JSON`);
    return true;
  }

  #string(): string {
    const start = this.#at++;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) this.#failAt(start, 'this string never ends; the file may be cut off');
      if (char < ' ')
        this.#fail(char === '\n' ? 'a line break inside a string' : 'a control character inside a string');
      if (char === '\\') this.#escape();
      else this.#at++;
      if (char === '"') break;
    }
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #escape(): void {
    const [sequence] = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.#text.slice(this.#at, this.#at + 6)) ?? [];
    if (sequence === undefined) this.#fail(`${this.#text.slice(this.#at, this.#at + 2)} is not an escape of JSON`);
    this.#at += sequence.length;
  }

  #number(): void {
    const rest = this.#text.slice(this.#at, this.#at + 400);
    if (/^-?0[xX]/.test(rest)) this.#fail('JSON has no hexadecimal numbers; write it in decimal');
    const octal = /^0[0-7]+/.exec(rest)?.[0];
    if (octal !== undefined)
      this.#fail(`JSON has no octal numbers; ${octal} is ${Number.parseInt(octal, 8)} in decimal`);
    const [number] = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.exec(rest) ?? [];
    if (number === undefined) this.#fail(`${this.#word()} is not a number`);
    this.#at += number.length;
  }

  #literal(): void {
    this.#endOfText();
    const literal = ['true', 'false', 'null'].find((word) => this.#text.startsWith(word, this.#at));
    if (literal === undefined) this.#failAtWord(`expected a value, found ${this.#word()}`);
    this.#at += literal.length;
  }

  #space(): void {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text[this.#at] as string)) this.#at++;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  /** The word at this position, for a message. */
  #word(): string {
    this.#endOfText();
    const [word = ''] = /^(?:[\w$.+-]+|.)/su.exec(this.#text.slice(this.#at, this.#at + maxWord)) ?? [];
    return JSON.stringify(word);
  }

  #endOfText(): void {
    if (this.#at < this.#text.length) return;
    const open = this.#open.at(-1);
    if (open === undefined) this.#fail('the file ends too early');
    this.#failAt(open, `this ${this.#text[open]} is never closed; the file may be cut off`);
  }

  /** Fails, with a hint for the most common mistakes. */
  #failAtWord(message: string): never {
    const rest = this.#text.slice(this.#at, this.#at + maxWord);
    if (/^(?:\/\/|\/\*|#)/.test(rest)) this.#fail('comments are not allowed in JSON');
    if (rest.startsWith("'")) this.#fail('JSON needs double quotes instead of single ones');
    const literal = /^(true|false|null|none)\b/i.exec(rest)?.[1]?.toLowerCase().replace('none', 'null');
    this.#fail(literal === undefined || rest.startsWith(literal) ? message : `${message}; did you mean ${literal}?`);
  }

  #fail(message: string): never {
    this.#failAt(this.#at, message);
  }

  #failAt(offset: number, message: string): never {
    throw new ScanError(offset, message);
  }
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}
