/**
 * A view of `value` that adds to `reads` the JSON pointer of every property read through it. Reads of absent properties
 * do not count.
 */
export function recording<T>(value: T, reads: Set<string>, at = ''): T {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, name, receiver) {
      const child: unknown = Reflect.get(target, name, receiver);
      if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return child;
      const pointer = `${at}/${name}`;
      reads.add(pointer);
      return recording(child, reads, pointer);
    },
  });
}

/** Whether a pattern with `*` for array indices and map names matches the pointer. */
export function matches(pattern: string, pointer: string): boolean {
  const names = pointer.split('/');
  const wanted = pattern.split('/');
  return names.length === wanted.length && wanted.every((name, i) => name === '*' || name === names[i]);
}
