/**
 * Engines write config.json with Go types that, by version, leave an unset string out or write it empty. So an optional
 * string that is empty counts as absent, in validation and on the way to the container.
 */
import { inspect } from 'node:util';
import t from 'tap';
import { type Finding, SpecError } from '../../../src/config/validate/finding.ts';
import { validateSpec } from '../../../src/config/validate/validate.ts';
import { type Schema, Spec as specSchema } from '../../../src/generated/schema-tables.ts';
import type { Spec } from '../../../src/generated/spec.ts';
import { lower } from '../../../src/lower/create-plan.ts';
import { everythingPossible } from '../lower/everything.ts';
import { capableHost } from '../lower/host.ts';

type Value = Record<string, unknown>;

/** Pointers of all optional strings and enumerations of a config that has one of each. */
function optionalStrings(schema: Schema, value: unknown, at = ''): string[] {
  if (value === undefined) return [];
  if (schema.kind === 'array') return optionalStrings(schema.items, (value as unknown[])[0], `${at}/0`);
  if (schema.kind === 'map') {
    const [name] = Object.keys(value as Value);
    return schema.values === undefined || name === undefined
      ? []
      : optionalStrings(schema.values, (value as Value)[name], `${at}/${name}`);
  }
  if (schema.kind !== 'object') return [];
  return Object.entries(schema.properties).flatMap(([name, property]) => {
    const isText = property.kind === 'string' || property.kind === 'enum';
    if (isText) return schema.required.includes(name) ? [] : [`${at}/${name}`];
    return optionalStrings(property, (value as Value)[name], `${at}/${name}`);
  });
}

/** The config with that property set to '' or left out. */
function withString(pointer: string, value: '' | undefined): Spec {
  const spec = everythingPossible();
  const names = pointer.split('/').slice(1);
  const last = names.pop() as string;
  let parent = spec as unknown as Value;
  for (const name of names) {
    parent[name] ??= {};
    parent = parent[name] as Value;
  }
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return spec;
}

/** The result of a config: its plan and warnings, or what is wrong with it. */
function outcomeOf(spec: Spec): object {
  const text = JSON.stringify(spec);
  const words = (findings: readonly Finding[]) => findings.map(({ pointer, message }) => `${pointer}: ${message}`);
  try {
    const { warnings } = validateSpec(JSON.parse(text), { text, path: 'config.json' });
    const { ops } = lower(spec, capableHost(), { id: 'c1', bundle: '/bundle' });
    return { warnings: words(warnings), plan: ops.map((op) => inspect(op, { breakLength: Infinity, depth: null })) };
  } catch (error) {
    if (error instanceof SpecError) return { refused: words(error.findings) };
    return { refused: (error as Error).message };
  }
}

/** Required, because every policy has one: a rule reports it if it is missing. */
const required = ['/linux/memoryPolicy/mode'];

for (const pointer of optionalStrings(specSchema, everythingPossible()).filter((at) => !required.includes(at))) {
  t.test(pointer, async (t) => {
    t.strictSame(outcomeOf(withString(pointer, '')), outcomeOf(withString(pointer, undefined)));
  });
}
