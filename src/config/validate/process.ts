/** Validates the process of `exec --process FILE`, a separate document with the same schema and rules. */
import type { Process } from '../../generated/spec.ts';
import { validateProcess as isProcess } from '../../generated/validate-process.ts';
import { logFinding } from '../../log.ts';
import { findingIn, type PartSource } from '../locate.ts';
import { SpecError } from './finding.ts';
import { inConfig, problemsIn } from './part.ts';
import { locate, type NamedProblem } from './places.ts';
import { capabilityWarnings } from './rules/capabilities.ts';
import { applyRules } from './validate.ts';

/** The place of a process in a config. */
const at = ['process'];

/**
 * @param value the parsed text
 * @param text of the document, and its path for messages
 * @throws SpecError with all errors, their pointers relative to the process
 */
export function validateProcess(value: unknown, { text, path }: Pick<PartSource, 'text' | 'path'>): ProcessDocument {
  const source = { text, path, base: '/process' };
  const here = (problems: readonly NamedProblem[]) =>
    locate(
      problems.map((each) => findingIn(each, source)),
      source,
    );
  const errors = here(problemsIn(value, at, isProcess));
  if (errors.length > 0) throw new SpecError(errors, source);
  for (const { line, column, ...warning } of here(applyRules(capabilityWarnings, inConfig(value, at), []))) {
    logFinding('warning', { ...warning, place: { text, path, line, column } });
  }
  return { process: value as Process, source };
}

export interface ProcessDocument {
  readonly process: Process;
  readonly source: PartSource;
}
