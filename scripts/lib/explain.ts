/** src/generated/explain.ts, from the schemas, the op table and a plan of a config that has every property. */
import ops from '../../schemas/ops.json';
import type { Op } from '../../src/generated/ops.ts';
import { everything, everythingPossible } from '../../test/unit/lower/everything.ts';
import { linuxProperties, type SchemaProperty } from './schema-properties.ts';
import { kernelOf, opsByProperty, opsOf, opsOfEverything, patternOf } from './support.ts';

/** The kernel's files that ops write besides those they name. */
const filesOfOps: Readonly<Partial<Record<Op['op'], string>>> = {
  'set-io-weight': 'io.bfq.weight or io.weight',
  'check-memory-use': 'memory.current',
  'write-id-maps': '/proc/PID/uid_map, /proc/PID/gid_map',
  'write-time-offsets': '/proc/self/timens_offsets',
  'set-oom-score-adj': '/proc/self/oom_score_adj',
  'set-apparmor-profile': '/proc/self/attr/apparmor/exec',
  'set-selinux-label': '/proc/self/attr/exec',
  'write-sysctl': '/proc/sys, a file for each parameter',
  'join-resctrl': '/sys/fs/resctrl: schemata and tasks of a group',
  'own-cgroup': 'the owner of the cgroup and of the files in /sys/kernel/cgroup/delegate',
};

export function explainText(): string {
  const carriedOut = opsByProperty();
  const files = filesByProperty();
  const all = linuxProperties();
  const properties = all.map((property) => {
    const { pattern, description, type, values } = property;
    // A section that only cgroup v1 has is marked as a whole.
    const isTold = property.leaf || carriedOut.has(pattern) || kernelOf(pattern) === '';
    const how = isTold ? opsOf(pattern, carriedOut) : [];
    return {
      pattern,
      description,
      type,
      ...(values && { values }),
      ...(typeof how === 'string' ? { note: how } : { ops: how }),
      files: filesOf(pattern, files, typeof how === 'string' ? [] : how),
      linux: kernelOf(pattern),
      ...exampleOf(property, all),
    };
  });
  const docs = Object.fromEntries([...ops.runtime, ...ops.init].map(({ op, doc }) => [op, doc]));
  return [
    '// Written by scripts/generate-explain.mjs from schemas/ and the tables of docs/support.md: edit those and run it.',
    "import type { Spec } from './spec.ts';",
    '',
    typeText,
    `export const properties: readonly ExplainedProperty[] = [\n${lines(properties)}\n];`,
    '',
    '/** What each operation of a plan does. */',
    `export const opDocs: Readonly<Record<string, string>> = ${JSON.stringify(docs, null, 2)};`,
    '',
    '/** A config that has every property that some host with cgroup v2 can honour. */',
    `export const everyProperty = ${JSON.stringify(everythingPossible())} as unknown as Spec;`,
    '',
  ].join('\n');
}

const typeText = `/** A property of config.json; its pattern has * for an index or a name of a map. */
export interface ExplainedProperty {
  readonly pattern: string;
  readonly description: string;
  readonly type: string;
  readonly values?: readonly string[];
  /** Operations that carry it out. */
  readonly ops?: readonly string[];
  /** What does otherwise. */
  readonly note?: string;
  /** Of the cgroup, or absolute. */
  readonly files: readonly string[];
  /** The kernel that it needs. */
  readonly linux: string;
  /** JSON pointer and value of what an example has to hold. */
  readonly example?: readonly [pointer: string, value: unknown];
}
`;

function lines(values: readonly unknown[]): string {
  return values.map((value) => `  ${JSON.stringify(value)},`).join('\n');
}

function filesByProperty(): Map<string, Set<string>> {
  const patterns = linuxProperties().map(({ pattern }) => pattern);
  const found = new Map<string, Set<string>>();
  for (const op of opsOfEverything()) {
    if (op.op !== 'write-cgroup-file') continue;
    const pattern = patternOf(op.from, patterns);
    found.set(pattern, (found.get(pattern) ?? new Set()).add(op.file));
  }
  return found;
}

function filesOf(pattern: string, files: ReadonlyMap<string, ReadonlySet<string>>, names: readonly string[]): string[] {
  // The names in unified are the file names.
  if (pattern.startsWith('/linux/resources/unified')) return ['the file of that name'];
  // The file of the whole list, or of the limit that is written together with this one.
  const together: Record<string, string> = { '/linux/resources/cpu/period': '/linux/resources/cpu/quota' };
  for (
    let at = together[pattern] ?? pattern;
    at.startsWith('/linux/resources/');
    at = at.slice(0, at.lastIndexOf('/'))
  ) {
    const own = files.get(at);
    if (own !== undefined) return [...own];
  }
  return names.flatMap((name) => filesOfOps[name as Op['op']] ?? []);
}

/** An example shows this around a property: an item of a list, or an object that must have more than one property. */
function exampleOf({ pattern }: SchemaProperty, all: readonly SchemaProperty[]): { example?: [string, unknown] } {
  const config = everything();
  const found = valueAt(config, pattern);
  if (found === undefined) return {};
  const names = pattern.split('/').slice(1);
  const isWhole = (depth: number) => {
    if (names[depth] === '*') return true;
    const holder = all.find((one) => one.pattern === `/${names.slice(0, depth).join('/')}`);
    return holder !== undefined && holder.required > 0 && depth > 1;
  };
  const depths = names.map((_, depth) => depth).filter((depth) => depth > 0);
  const outer = depths.find(isWhole) ?? names.length;
  const place = names.slice(0, outer);
  const real = found.names.slice(0, outer);
  const whole = valueAt(config, `/${place.join('/')}`)?.value;
  // For a list, the item that has the property.
  const value = Array.isArray(whole) && outer < names.length ? [whole[Number(found.names[outer])]] : whole;
  return { example: [`/${real.join('/')}`, value] };
}

/** The value and the names that lead to it; in a list, the last item that has it. */
function valueAt(value: unknown, pattern: string): { value: unknown; names: string[] } | undefined {
  const [, name, ...rest] = pattern.split('/');
  if (name === undefined) return value === undefined ? undefined : { value, names: [] };
  if (typeof value !== 'object' || value === null) return undefined;
  const candidates = name === '*' ? Object.keys(value).reverse() : [name];
  for (const real of candidates) {
    const found = valueAt((value as Record<string, unknown>)[real], ['', ...rest].join('/'));
    if (found !== undefined) {
      return { value: found.value, names: [real.replaceAll('~', '~0').replaceAll('/', '~1'), ...found.names] };
    }
  }
  return undefined;
}
