/** Validates documents that are part of a config: the process of `exec --process`, the limits of `update`. */
import type { Spec } from '../../generated/spec.ts';
import { schemaAt } from '../locate.ts';
import { appendPointer } from '../read/pointer.ts';
import type { NamedProblem } from './places.ts';
import { errorRules } from './rules/index.ts';
import { maxSchemaErrors } from './schema.ts';
import { describeSchemaError } from './schema-messages.ts';
import { applyRules, explainRefusal, refusedPointer } from './validate.ts';

/**
 * Finds what the schema and the rules refuse in a part, with pointers as in a config. Rules that read more than the
 * part are left out.
 *
 * @param at the part's place in a config
 * @param isValid the verdict of the schema's compiled code
 */
export function problemsIn(
  value: unknown,
  at: readonly string[],
  isValid: (value: unknown) => boolean,
): NamedProblem[] {
  const base = at.reduce<string>(appendPointer, '');
  const refused = isValid(value)
    ? []
    : explainRefusal(schemaAt(at), value).map((error) => ({ ...error, path: [...at, ...error.path] }));
  const rules = errorRules.filter(({ reads }) => reads.every((pointer) => pointer.startsWith(base)));
  return [
    ...refused.map((error) => ({ rule: 'schema', ...describeSchemaError(error) })),
    ...(refused.length === maxSchemaErrors ? [] : applyRules(rules, inConfig(value, at), refused.map(refusedPointer))),
  ];
}

/** A config that holds only this value. */
export function inConfig(value: unknown, at: readonly string[]): Spec {
  return at.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Spec;
}
