/** JSON pointers (RFC 6901) and places in a text. */

export function appendPointer(pointer: string, name: string | number): string {
  const text = String(name);
  return `${pointer}/${/[~/]/.test(text) ? text.replaceAll('~', '~0').replaceAll('/', '~1') : text}`;
}

/** The names on the way to the pointer's value. */
export function namesIn(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((name) => (name.includes('~') ? name.replaceAll('~1', '/').replaceAll('~0', '~') : name));
}

/** Pointer of the object or array around the pointer's value; for the document, its own pointer. */
export function parentPointer(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')));
}

export interface Place {
  /** Counted from 1. */
  line: number;
  /** In characters, counted from 1. */
  column: number;
}

export function placeOf(text: string, offset: number): Place {
  return new PlaceFinder(text).at(offset);
}

/**
 * Finds the places of many offsets in ascending order. Each search goes on from the last one, because a text may have a
 * million lines.
 */
export class PlaceFinder {
  readonly #text: string;
  #offset = 0;
  #line = 1;
  #column = 1;
  #nextLine: number;

  constructor(text: string) {
    this.#text = text;
    this.#nextLine = lineAfter(text, 0);
  }

  /** @param offset not before the last call's */
  at(offset: number): Place {
    while (this.#nextLine <= offset) {
      this.#offset = this.#nextLine;
      this.#nextLine = lineAfter(this.#text, this.#offset);
      this.#line++;
      this.#column = 1;
    }
    this.#column += [...this.#text.slice(this.#offset, offset)].length;
    this.#offset = offset;
    return { line: this.#line, column: this.#column };
  }
}

/** Offset where the next line starts; Infinity in the last line. */
function lineAfter(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? Number.POSITIVE_INFINITY : end + 1;
}

/** `file:line:column` */
export function showPlace(path: string, text: string, offset: number): string {
  const { line, column } = placeOf(text, offset);
  return `${path}:${line}:${column}`;
}
