/** Configs with one mistake each, as people make them, and what a terminal must show. */
import type { Spec } from '../../../harness/index.ts';

export interface Broken {
  readonly edit: (spec: Spec, bundle: string) => void;
  /** The property, in the first line. */
  readonly property: RegExp;
  /** How to mend it: in the hint, or in the message if that says it all. */
  readonly wayOut: RegExp;
  /** The text under the mark. */
  readonly marked: RegExp;
}

export const set = (spec: Spec, path: string, value: unknown) => {
  const names = path.split('/').slice(1);
  const last = names.pop() ?? '';
  const holder = names.reduce(
    (at, name) => at[name] as Record<string, unknown>,
    spec as unknown as Record<string, unknown>,
  );
  holder[last] = value;
};

/** Broken by one wrong value. */
export const wrong = (path: string, value: unknown, property: RegExp, wayOut: RegExp, marked: RegExp): Broken => ({
  edit: (spec) => set(spec, path, value),
  property,
  wayOut,
  marked,
});

export const withoutNamespace = ({ linux }: Spec, type: string) => {
  linux.namespaces = linux.namespaces.filter((each) => each.type !== type);
};
