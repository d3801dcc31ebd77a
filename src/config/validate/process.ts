/** Validates the process of `exec --process FILE`, a separate document with the same schema and rules. */
import type { Process } from '../../generated/spec.ts';
import { validateProcess as isProcess } from '../../generated/validate-process.ts';
import { logFinding } from '../../log.ts';
import { SpecError, showFinding } from './finding.ts';
import { inConfig, problemsIn } from './part.ts';
import { locate, type NamedProblem, type SpecSource } from './places.ts';
import { capabilityWarnings } from './rules/capabilities.ts';
import { applyRules } from './validate.ts';

/** The place of a process in a config. */
const at = ['process'];

/**
 * @param value the parsed `source.text`
 * @throws SpecError with all errors, their pointers relative to the process
 */
export function validateProcess(value: unknown, source: SpecSource): Process {
  const errors = problemsIn(value, at, isProcess).map(fromProcess);
  if (errors.length > 0) throw new SpecError(locate(errors, source), source);
  const warnings = applyRules(capabilityWarnings, inConfig(value, at), []).map(fromProcess);
  for (const warning of locate(warnings, source)) {
    const { line, column } = warning;
    logFinding('warning', { ...warning, place: { ...source, line, column } }, () => showFinding(warning, source.path));
  }
  return value as Process;
}

function fromProcess(problem: NamedProblem): NamedProblem {
  // A message may name another property of the process.
  const message = problem.message.replaceAll(' /process/', ' /');
  return { ...problem, message, pointer: problem.pointer.slice('/process'.length) };
}
