/**
 * From a parsed config.json to a Spec: first the schema, then the rules that hold between properties. All errors are
 * found at once. On the start-up path: places and words are only made when something is wrong.
 */

import { Spec as specSchema } from '../../generated/schema-tables.ts';
import type { Spec } from '../../generated/spec.ts';
import { validateConfig } from '../../generated/validate-config.ts';
import { findValue } from '../read/find-value.ts';
import { scanJson } from '../read/json-scanner.ts';
import { maxDepth } from '../read/parse.ts';
import { appendPointer, PlaceFinder, parentPointer } from '../read/pointer.ts';
import { inexactSeccompValues } from './exact.ts';
import { type Finding, type Problem, SpecError } from './finding.ts';
import { errorRules, warningRules } from './rules/index.ts';
import type { Rule } from './rules/rule.ts';
import { maxSchemaErrors, type SchemaError, schemaErrors } from './schema.ts';
import { describeSchemaError } from './schema-words.ts';
import { unknownProblems } from './unknown.ts';

/** Where a value comes from, for the places in messages. */
export interface SpecSource {
  text: string;
  path: string;
}

/** A problem and the check that found it. */
export interface NamedProblem extends Problem {
  rule: string;
}

/**
 * @param value the parsed `source.text`
 * @returns the same value, now known to be a Spec, and what is odd about it: its places are looked for when it is read
 * @throws SpecError with all errors of the configuration
 */
export function validateSpec(value: unknown, source: SpecSource): { spec: Spec; readonly warnings: Finding[] } {
  adoptRuncVersion(value);
  // ajv's compiled code gives the verdict; the walk over the tables finds every reason for a no, with its place.
  const refused = validateConfig(value) ? [] : explainRefusal(value);
  // The rules look at nothing the schema has refused, so that they can rely on its types.
  const spec = value as Spec;
  const errors = [
    ...refused.map((error) => ({ rule: 'schema', ...describeSchemaError(error) })),
    ...(refused.length === maxSchemaErrors ? [] : applyRules(errorRules, spec, refused.map(refusedPointer))),
  ];
  if (refused.length === 0) {
    errors.push(...inexactSeccompValues(spec, source.text).map((problem) => ({ rule: 'exact', ...problem })));
  }
  if (errors.length > 0) throw new SpecError(locate(errors, source), source);
  const odd = applyRules(warningRules, spec, []);
  return {
    spec,
    get warnings() {
      return locate(odd, source);
    },
  };
}

/** Hadoop YARN writes the version as runcVersion (runc_write_config.c), and runc reads none at all. */
function adoptRuncVersion(value: unknown): void {
  const spec = value as { ociVersion?: unknown; runcVersion?: unknown } | null;
  if (typeof spec?.runcVersion === 'string') spec.ociVersion ??= spec.runcVersion;
}

function explainRefusal(value: unknown): SchemaError[] {
  const errors = schemaErrors(specSchema, value);
  if (errors.length === 0) throw new Error('the compiled validator refuses what the tables of the schema accept');
  return errors;
}

/** Properties that the schema does not know and the runtime therefore ignores. */
export function unknownProperties(value: unknown, source: SpecSource): Finding[] {
  const problems = unknownProblems(value).map((problem) => ({ rule: 'unknown-property', ...problem }));
  return locate(problems, source);
}

/** @param refused pointers of what the schema has refused or missed */
export function applyRules(rules: readonly Rule[], spec: Spec, refused: readonly string[]): NamedProblem[] {
  const problems: NamedProblem[] = [];
  for (const rule of rules) {
    if (!isPresent(spec, rule)) continue;
    const { name, reads, harmless, check } = rule;
    if (refused.some((pointer) => reads.some((read) => overlap(read, pointer)))) continue;
    for (const problem of check(spec)) problems.push({ rule: name, ...(harmless && { harmless }), ...problem });
  }
  return problems;
}

/** By the rule: made once for all runs, as the executable starts from a snapshot of its heap. */
const namesRead = new Map([...errorRules, ...warningRules].map((rule) => [rule, namesIn(rule)]));

/** Only names without characters that a pointer escapes. */
function namesIn({ reads: [pointer] }: Rule): readonly string[] {
  return pointer.slice(1).split('/');
}

function isPresent(spec: Spec, rule: Rule): boolean {
  const names = namesRead.get(rule) ?? namesIn(rule);
  let value: unknown = spec;
  // No iterator: this is asked for every rule of every config.
  for (let i = 0; i < names.length && value !== undefined; i++) {
    value = (value as Record<string, unknown> | null)?.[names[i] as string];
  }
  return value !== undefined;
}

export function refusedPointer({ path, missing }: SchemaError): string {
  return [...path, ...(missing === undefined ? [] : [missing])].reduce<string>(appendPointer, '');
}

/** Whether one of two pointers is, or lies in, what the other points at. */
function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** Adds the places and sorts by them. */
export function locate(problems: readonly NamedProblem[], { text }: SpecSource): Finding[] {
  if (problems.length === 0) return [];
  const scan = problems.length > maxSought ? scanJson(text, maxDepth).values : undefined;
  const offsetAt = (pointer: string) => (scan === undefined ? findValue(text, pointer) : scan.get(pointer));
  const places = new PlaceFinder(text);
  return problems
    .map((problem) => ({ problem, offset: offsetOf(problem.pointer, offsetAt) }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ problem, offset }, index) => ({ ...problem, hint: hintOf(problem, index), ...places.at(offset) }));
}

/** Problems whose places are looked for one by one; the places of all values take longer. */
const maxSought = 8;

/** Problems whose hints are looked for: the nearest of 41 words takes a millisecond, and a config may have a million. */
const maxHints = 100;

function hintOf({ hint }: Problem, index: number): string | undefined {
  if (typeof hint !== 'function') return hint;
  return index < maxHints ? hint() : undefined;
}

/** Of the value; of the nearest object around it when the pointer names a property that is not there. */
export function offsetOf(pointer: string, offsetAt: (pointer: string) => number | undefined): number {
  const offset = offsetAt(pointer);
  if (offset !== undefined || pointer === '') return offset ?? 0;
  return offsetOf(parentPointer(pointer), offsetAt);
}
