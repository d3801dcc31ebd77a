/** JSON pointers (RFC 6901) and places in a text. */

export function appendPointer(pointer: string, name: string | number): string {
  const text = String(name);
  return `${pointer}/${/[~/]/.test(text) ? text.replaceAll('~', '~0').replaceAll('/', '~1') : text}`;
}

/** Pointer of the value that holds the pointer's value; that of the document for the document itself. */
export function parentPointer(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')));
}

export interface Place {
  /** From 1. */
  line: number;
  /** In characters, from 1. */
  column: number;
}

export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1 };
}

/** `file:line:column` */
export function showPlace(path: string, text: string, offset: number): string {
  const { line, column } = placeOf(text, offset);
  return `${path}:${line}:${column}`;
}
