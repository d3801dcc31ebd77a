/** Validates the limits of `update`, a separate document with the same schema and rules. */
import { validateResources as isResources } from '../../generated/validate-resources.ts';
import { problemsIn } from './part.ts';
import type { NamedProblem } from './places.ts';

/** @returns all problems with them, with pointers as in a config */
export function resourceProblems(value: unknown): NamedProblem[] {
  return problemsIn(value, ['linux', 'resources'], isResources);
}
