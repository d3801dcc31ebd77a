/** The limits of `update`: a document of their own that is held against the same schema and rules. */
import { validateResources as isResources } from '../../generated/validate-resources.ts';
import { problemsIn } from './part.ts';
import type { NamedProblem } from './places.ts';

/** @returns all that is wrong with them, with pointers as in a config */
export function resourceProblems(value: unknown): NamedProblem[] {
  return problemsIn(value, ['linux', 'resources'], isResources);
}
