/** What a rule is, and the questions that several rules ask. */
import type { LinuxNamespace, NamespaceType, Spec } from '../../../generated/spec.ts';
import { type Problem, show } from '../finding.ts';

/** A condition between properties, or on a value, that the schema cannot state. */
export interface Rule {
  /** Names the rule in findings. */
  name: string;
  /**
   * Pointers of what it looks at. The rule is run when the first is there and the schema has accepted all.
   */
  reads: readonly [string, ...string[]];
  /** Of a warning: whether the container has all that it is to have. It is only for who asks for such things. */
  harmless?: true;
  check: (spec: Spec) => Problem[];
}

/** The namespace of that type which the container makes or joins. */
export function namespace(spec: Spec, type: NamespaceType): LinuxNamespace | undefined {
  return spec.linux?.namespaces?.find((entry) => entry.type === type);
}

/** Whether the namespace is joined instead of made. Go writes an unset path as the empty string. */
export function isJoined(entry: LinuxNamespace): boolean {
  return entry.path !== undefined && entry.path !== '';
}

/** A problem unless the container has a namespace of that type, new or joined. */
export function needsNamespace(spec: Spec, type: NamespaceType, pointer: string): Problem[] {
  if (namespace(spec, type) !== undefined) return [];
  return [
    {
      pointer,
      message: `needs a ${type} namespace, or the host's would be changed`,
      hint: `add {"type": "${type}"} to /linux/namespaces`,
    },
  ];
}

/** The largest user or group ID: the next one means "none" and "leave it" to the kernel. */
const maxId = 2 ** 32 - 2;

export function idProblems(id: number, pointer: string): Problem[] {
  return when(id > maxId, pointer, () => `must be at most ${maxId}, found ${id}`);
}

export function mustBeAbsolute(path: string, pointer: string): Problem[] {
  if (path.startsWith('/')) return [];
  return [{ pointer, message: `must be an absolute path, found ${show(path)}`, hint: () => absoluteHint(path) }];
}

/** A name alone may be anywhere; of a path only the beginning is missing. */
function absoluteHint(path: string): string {
  const isPath = path !== '' && !/^[~$]/.test(path) && !path.split('/').includes('..');
  return isPath ? `did you mean ${show(`/${path.replace(/^(\.\/)+/, '')}`)}?` : 'begin it with /';
}

/** A problem for each item whose key an earlier one has. */
export function duplicates<T>(items: readonly T[], pointer: string, key: (item: T) => string): Problem[] {
  const first = new Map<string, number>();
  return items.flatMap((item, index) => {
    const name = key(item);
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, index);
      return [];
    }
    const message = `${show(name)} was given before, at ${pointer}/${before}`;
    return [{ pointer: `${pointer}/${index}`, message, hint: 'remove one of the two' }];
  });
}

/** One problem or none. Most conditions never hold: a message that takes work is only made when one does. */
export function when(condition: boolean, pointer: string, message: string | (() => string), hint?: string): Problem[] {
  if (!condition) return none;
  return [{ pointer, message: typeof message === 'string' ? message : message(), hint }];
}

const none: Problem[] = [];

/** Whether a text is a list of numbers and ranges, such as 0-3,7 (cpuset(7), List format). */
export function isNumberList(text: string): boolean {
  return text.split(',').every((part) => {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    return first !== undefined && Number(first) <= Number(last);
  });
}
