/** What a rule is, and what several rules need. */
import type { LinuxNamespace, NamespaceType, Spec } from '../../../generated/spec.ts';
import { type Problem, show } from '../finding.ts';

/** A condition on a value, or between properties, that the schema cannot express. */
export interface Rule {
  /** Names the rule in findings. */
  name: string;
  /** Pointers of what it looks at. The rule runs if the first exists and the schema has accepted all of them. */
  reads: readonly [string, ...string[]];
  /**
   * Only for a warning: the container still gets everything that it should have, so the warning is only shown on
   * request.
   */
  harmless?: true;
  check: (spec: Spec) => Problem[];
}

/** The container's namespace of that type, new or joined. */
export function namespace(spec: Spec, type: NamespaceType): LinuxNamespace | undefined {
  return spec.linux?.namespaces?.find((entry) => entry.type === type);
}

/** Whether the namespace is joined and not made. Go writes an unset path as the empty string. */
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

/** The largest user or group ID: to the kernel, the next number means "none" or "leave it". */
const maxId = 2 ** 32 - 2;

export function idProblems(id: number, pointer: string): Problem[] {
  return when(id > maxId, pointer, () => `must be at most ${maxId}, found ${id}`);
}

export function mustBeAbsolute(path: string, pointer: string): Problem[] {
  if (path.startsWith('/')) return [];
  return [{ pointer, message: `must be an absolute path, found ${show(path)}`, hint: () => absoluteHint(path) }];
}

/** A bare name may be anywhere; a path only lacks its beginning. */
function absoluteHint(path: string): string {
  const isPath = path.includes('/') && !/^[~$]/.test(path) && !path.split('/').includes('..');
  return isPath ? `did you mean ${show(`/${path.replace(/^(\.\/)+/, '')}`)}?` : 'begin it with /';
}

/** A problem for each item with the same key as an earlier one. */
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

/** One problem or none. Most conditions are never true, so a message that takes work is only made for one that is. */
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
