import type { Problem } from '../config/validate/finding.ts';
import { TsrunError } from '../errors.ts';
import type { Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import type { LowerOptions } from '../lower/context.ts';
import { lower } from '../lower/create-plan.ts';
import { Remainder } from './remainder.ts';

/** People read no more than this, and each error costs a whole lowering. */
const maxErrors = 100;

/**
 * Everything that lowering refuses on this host. Lowering stops at the first refusal, so the property that it names is
 * removed, and lowering runs again.
 */
export function loweringProblems(
  spec: Spec,
  host: HostFacts,
  options: LowerOptions,
): { errors: Problem[]; warnings: readonly Problem[] } {
  const errors: Problem[] = [];
  const rest = new Remainder(spec);
  const exactInteger = (pointer: string) => options.exactInteger?.(rest.originalOf(pointer));
  while (errors.length < maxErrors) {
    try {
      const { warnings, notes } = lower(rest.value as Spec, host, { ...options, exactInteger });
      const placed = [...warnings, ...notes].map((one) => ({ ...one, pointer: rest.originalOf(one.pointer) }));
      return { errors, warnings: placed };
    } catch (error) {
      // A config that lacks something required cannot be lowered; the errors found so far are still true.
      if (!(error instanceof TsrunError) && errors.length > 0) return { errors, warnings: [] };
      if (!(error instanceof TsrunError)) throw error;
      const problem = problemOf(error);
      const pointer = rest.originalOf(problem.pointer);
      // A property that is missing only because it has been removed is not the config's error.
      if (errors.some((known) => known.pointer === pointer)) return { errors, warnings: [] };
      errors.push({ ...problem, pointer });
      if (!removed(rest, problem.pointer)) return { errors, warnings: [] };
    }
  }
  return { errors, warnings: [] };
}

export function problemOf({ pointer, message, text, hint }: TsrunError): Problem {
  return pointer === undefined ? { pointer: '', message, hint } : { pointer, message: text, hint };
}

function removed(rest: Remainder, pointer: string): boolean {
  return pointer.startsWith('/linux/namespaces') ? removeNamespaces(rest.value as Spec) : rest.remove(pointer);
}

/** Removes all but the mount namespace, without which every mount would be wrong. */
function removeNamespaces({ linux }: Spec): boolean {
  const namespaces = linux?.namespaces ?? [];
  const isKept = namespaces.some(({ type }) => type === 'mount');
  if (linux === undefined || namespaces.length <= (isKept ? 1 : 0)) return false;
  linux.namespaces = isKept ? [{ type: 'mount' }] : [];
  return true;
}
