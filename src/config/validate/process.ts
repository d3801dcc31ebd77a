/** The process of `exec --process FILE`: a document of its own that is held against the same schema and rules. */
import { type ObjectSchema, Spec as specSchema } from '../../generated/schema-tables.ts';
import type { Process, Spec } from '../../generated/spec.ts';
import { logFinding } from '../../log.ts';
import { SpecError, showFinding } from './finding.ts';
import { capabilityWarnings } from './rules/capabilities.ts';
import { errorRules } from './rules/index.ts';
import { maxSchemaErrors, schemaErrors } from './schema.ts';
import { describeSchemaError } from './schema-words.ts';
import { applyRules, locate, type NamedProblem, refusedPointer, type SpecSource } from './validate.ts';

/** Where a process stands in a config; schema and rules speak of it there. */
const place = '/process';

/**
 * @param value the parsed `source.text`
 * @throws SpecError with all errors, their pointers counted from the process
 */
export function validateProcess(value: unknown, source: SpecSource): Process {
  const schema = (specSchema as ObjectSchema).properties.process;
  if (schema === undefined) throw new Error('the schema has no process');
  const refused = schemaErrors(schema, value).map((error) => ({ ...error, path: ['process', ...error.path] }));
  const spec = { process: value } as Spec;
  const rules = errorRules.filter(({ reads }) => reads.every((pointer) => pointer.startsWith(place)));
  const errors = [
    ...refused.map((error) => ({ rule: 'schema', ...describeSchemaError(error) })),
    ...(refused.length === maxSchemaErrors ? [] : applyRules(rules, spec, refused.map(refusedPointer))),
  ].map(fromProcess);
  if (errors.length > 0) throw new SpecError(locate(errors, source), source);
  const warnings = applyRules(capabilityWarnings, spec, []).map(fromProcess);
  for (const warning of locate(warnings, source)) {
    const { line, column } = warning;
    logFinding('warning', { ...warning, place: { ...source, line, column } }, () => showFinding(warning, source.path));
  }
  return value as Process;
}

function fromProcess(problem: NamedProblem): NamedProblem {
  // A message may name another property of the process.
  const message = problem.message.replaceAll(` ${place}/`, ' /');
  return { ...problem, message, pointer: problem.pointer.slice(place.length) };
}
