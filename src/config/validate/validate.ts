/**
 * Turns a parsed config.json into a Spec: first the schema, then the rules between properties. All errors are found in
 * one go. On the start-up path, so places and words are only made when something is wrong.
 */

import { type Schema, Spec as specSchema } from '../../generated/schema-tables.ts';
import type { Spec } from '../../generated/spec.ts';
import { validateConfig } from '../../generated/validate-config.ts';
import { appendPointer } from '../read/pointer.ts';
import { inexactSeccompValues } from './exact.ts';
import { type Finding, SpecError } from './finding.ts';
import { locate, type NamedProblem, type SpecSource } from './places.ts';
import { errorRules, warningRules } from './rules/index.ts';
import type { Rule } from './rules/rule.ts';
import { maxSchemaErrors, type SchemaError, schemaErrors } from './schema.ts';
import { describeSchemaError } from './schema-messages.ts';
import { unknownProblems } from './unknown.ts';

export interface ValidatedSpec {
  spec: Spec;
  /** Oddities without their places, as finding those means searching the text. */
  readonly odd: readonly NamedProblem[];
  /** The same with their places, which are found when this is read. */
  readonly warnings: Finding[];
}

/**
 * @param value the parsed `source.text`
 * @returns the same value, now known to be a Spec
 * @throws SpecError with all errors in the configuration
 */
export function validateSpec(value: unknown, source: SpecSource): ValidatedSpec {
  adoptRuncVersion(value);
  // ajv's compiled code gives the verdict; if it is no, the walk over the tables finds every reason, with its place.
  const refused = validateConfig(value) ? [] : explainRefusal(specSchema, value);
  // Rules look at nothing that the schema has refused, so they can rely on its types.
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
    odd,
    get warnings() {
      return locate(odd, source);
    },
  };
}

/** Hadoop YARN writes the version as runcVersion (runc_write_config.c), and runc ignores the version. */
function adoptRuncVersion(value: unknown): void {
  const spec = value as { ociVersion?: unknown; runcVersion?: unknown } | null;
  if (typeof spec?.runcVersion === 'string') spec.ociVersion ??= spec.runcVersion;
}

/** Finds the reasons why the compiled validator refuses a value. */
export function explainRefusal(schema: Schema, value: unknown): SchemaError[] {
  const errors = schemaErrors(schema, value);
  if (errors.length === 0) throw new Error('the compiled validator refuses what the tables of the schema accept');
  return errors;
}

/** Properties that the schema does not know, and that the runtime therefore ignores. */
export function unknownProperties(value: unknown, source: SpecSource): Finding[] {
  const problems = unknownProblems(value).map((problem) => ({ rule: 'unknown-property', ...problem }));
  return locate(problems, source);
}

/** @param refused pointers of the values that the schema has refused or missed */
export function applyRules(rules: readonly Rule[], spec: Spec, refused: readonly string[]): NamedProblem[] {
  const found: { order: number; problem: NamedProblem }[] = [];
  applyBelow(trees.get(rules) ?? treeOf(rules), spec, ({ rule, order }) => {
    const { name, reads, harmless, check } = rule;
    if (refused.length > 0 && refused.some((pointer) => reads.some((read) => overlap(read, pointer)))) return;
    for (const problem of check(spec)) {
      found.push({ order, problem: { rule: name, ...(harmless && { harmless }), ...problem } });
    }
  });
  return found.sort((a, b) => a.order - b.order).map(({ problem }) => problem);
}

/**
 * Rules by the property that they are run for, so that a section missing from the config skips all of its rules at
 * once.
 */
interface RuleTree {
  /** `order` is the index in the list of all rules. */
  readonly rules: { readonly rule: Rule; readonly order: number }[];
  readonly below: { readonly name: string; readonly tree: RuleTree }[];
}

function treeOf(rules: readonly Rule[]): RuleTree {
  const root: RuleTree = { rules: [], below: [] };
  rules.forEach((rule, order) => {
    let tree = root;
    // Only works for names without characters that a pointer escapes.
    for (const name of rule.reads[0].slice(1).split('/')) tree = treeBelow(tree, name);
    tree.rules.push({ rule, order });
  });
  return root;
}

function treeBelow({ below }: RuleTree, name: string): RuleTree {
  const found = below.find((entry) => entry.name === name);
  if (found !== undefined) return found.tree;
  const tree: RuleTree = { rules: [], below: [] };
  below.push({ name, tree });
  return tree;
}

/** Made once and for all runs, as the executable starts from a snapshot of its heap. */
const trees = new Map([errorRules, warningRules].map((rules) => [rules, treeOf(rules)]));

function applyBelow({ rules, below }: RuleTree, value: unknown, apply: (entry: RuleTree['rules'][0]) => void): void {
  for (let i = 0; i < rules.length; i++) apply(rules[i] as RuleTree['rules'][0]);
  if (typeof value !== 'object' || value === null) return;
  for (let i = 0; i < below.length; i++) {
    const { name, tree } = below[i] as RuleTree['below'][0];
    const inner = (value as Record<string, unknown>)[name];
    if (inner !== undefined) applyBelow(tree, inner, apply);
  }
}

export function refusedPointer({ path, missing }: SchemaError): string {
  return [...path, ...(missing === undefined ? [] : [missing])].reduce<string>(appendPointer, '');
}

/** Whether one of two pointers is at, or inside, what the other points at. */
function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
