/** A config without its refused parts, so that the rest can be checked. */
import { appendPointer, namesIn } from '../config/read/pointer.ts';

/** The position of these items has a meaning: if one is removed, the whole list is. */
const positional = /^(\/process|\/hooks\/\w+\/\d+)\/args\/\d+$/;

export class Remainder {
  readonly value: unknown;
  /** For each list, the numbers that its items had. */
  readonly #numbers = new WeakMap<object, number[]>();
  /** Pointers into the original config of what has been removed or replaced. */
  readonly #touched: string[] = [];

  /** @param value is not changed */
  constructor(value: unknown) {
    this.value = structuredClone(value);
  }

  /** Where a value of the remainder is in the original config: its pointer. */
  originalOf(pointer: string): string {
    let at: unknown = this.value;
    return namesIn(pointer).reduce((path, name) => {
      const known = Array.isArray(at) ? (this.#numbers.get(at)?.[Number(name)] ?? name) : name;
      at = valueIn(at, name);
      return appendPointer(path, known);
    }, '');
  }

  /**
   * Removes several values, and the objects and lists that this leaves empty.
   *
   * @param pointers into the remainder
   * @returns whether any of them existed
   */
  removeAll(pointers: readonly string[]): boolean {
    // The last item of a list first, so that the others keep their numbers.
    const inOrder = [...new Set(pointers)].sort(laterFirst);
    return inOrder.map((pointer) => this.remove(pointer)).some(Boolean);
  }

  remove(pointer: string): boolean {
    if (positional.test(pointer)) return this.remove(pointer.slice(0, pointer.lastIndexOf('/')));
    const original = this.originalOf(pointer);
    const isRemoved = pointer !== '' && this.#removeAt(this.value, namesIn(pointer));
    if (isRemoved) this.#touched.push(original);
    return isRemoved;
  }

  /** Adds a required property to an object of the remainder. */
  fill(pointer: string, name: string, value: unknown): void {
    const holder = namesIn(pointer).reduce(valueIn, this.value);
    if (typeof holder !== 'object' || holder === null || Object.hasOwn(holder, name)) return;
    (holder as Record<string, unknown>)[name] = value;
    this.#touched.push(appendPointer(pointer, name));
  }

  /** Whether anything at that property, inside it or around it, differs from the config. */
  isTouched(original: string): boolean {
    if (original === '') return false;
    return this.#touched.some((pointer) => isWithin(pointer, original) || isWithin(original, pointer));
  }

  /**
   * Like isTouched, but for the whole object that something was removed from; the items of a list do not affect each
   * other.
   */
  isNearTouched(original: string): boolean {
    return this.isTouched(original) || this.#touched.some((pointer) => isWithin(original, holderOf(pointer)));
  }

  #removeAt(holder: unknown, [name = '', ...rest]: readonly string[]): boolean {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, name)) return false;
    const inner = valueIn(holder, name);
    const isRemoved = rest.length === 0 || this.#removeAt(inner, rest);
    const isEmptied = rest.length > 0 && Object.keys(inner as object).length === 0;
    if (isRemoved && (rest.length === 0 || isEmptied)) this.#delete(holder, name);
    return isRemoved;
  }

  #delete(holder: object, name: string): void {
    if (!Array.isArray(holder)) {
      delete (holder as Record<string, unknown>)[name];
      return;
    }
    const numbers = this.#numbers.get(holder) ?? holder.map((_, index) => index);
    numbers.splice(Number(name), 1);
    holder.splice(Number(name), 1);
    this.#numbers.set(holder, numbers);
  }
}

function valueIn(holder: unknown, name: string): unknown {
  return (holder as Record<string, unknown> | undefined | null)?.[name];
}

/** The object that has the property; for an item of a list, or a property at the top, the property itself. */
function holderOf(pointer: string): string {
  const holder = pointer.slice(0, pointer.lastIndexOf('/'));
  return /\/\d+$/.test(pointer) || holder === '' ? pointer : holder;
}

function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

function laterFirst(a: string, b: string): number {
  const [left, right] = [namesIn(a), namesIn(b)];
  const at = left.findIndex((name, index) => name !== right[index]);
  if (at === -1) return right.length - left.length;
  const [one = '', other = ''] = [left[at], right[at]];
  const areNumbers = /^\d+$/.test(one) && /^\d+$/.test(other);
  return areNumbers ? Number(other) - Number(one) : one < other ? 1 : -1;
}
