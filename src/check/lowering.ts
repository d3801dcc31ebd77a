import type { Problem } from '../config/validate/finding.ts';
import { TsrunError } from '../errors.ts';
import type { Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import type { LowerOptions } from '../lower/context.ts';
import { lower } from '../lower/create-plan.ts';

/**
 * Everything that lowering refuses on this host. It stops at the first refusal, so the property it names is taken away
 * and it is asked again.
 */
export function loweringProblems(
  spec: Spec,
  host: HostFacts,
  options: LowerOptions,
): { errors: Problem[]; warnings: readonly Problem[] } {
  const errors: Problem[] = [];
  const rest = structuredClone(spec);
  for (;;) {
    try {
      const { warnings, notes } = lower(rest, host, options);
      return { errors, warnings: [...warnings, ...notes] };
    } catch (error) {
      // Without what it must have, a config is none that lowering can be asked of: what was found before is true.
      if (!(error instanceof TsrunError) && errors.length > 0) return { errors, warnings: [] };
      if (!(error instanceof TsrunError)) throw error;
      const problem = problemOf(error);
      // What is missed only because it has been taken away is no error of the config's.
      if (errors.some(({ pointer }) => pointer === problem.pointer)) return { errors, warnings: [] };
      errors.push(problem);
      if (!remove(rest, problem.pointer)) return { errors, warnings: [] };
    }
  }
}

export function problemOf({ pointer, message, text, hint }: TsrunError): Problem {
  return pointer === undefined ? { pointer: '', message, hint } : { pointer, message: text, hint };
}

/**
 * Takes the property away, and an object that was there for it alone; of an item the whole list, as the others must keep
 * their numbers. False: it is not there.
 */
function remove(spec: Spec, pointer: string): boolean {
  if (pointer.startsWith('/linux/namespaces')) return removeNamespaces(spec);
  const names = pointer.split('/').slice(1);
  const end = names.findLastIndex((name) => !/^\d+$/.test(name));
  return end >= 0 && removeAt(spec, names.slice(0, end + 1));
}

function removeAt(holder: unknown, [name = '', ...rest]: readonly string[]): boolean {
  if (typeof holder !== 'object' || holder === null || !(name in holder)) return false;
  const object = holder as Record<string, unknown>;
  const isRemoved = rest.length === 0 || removeAt(object[name], rest);
  const isEmptied = rest.length > 0 && Object.keys(object[name] as object).length === 0;
  if (isRemoved && (rest.length === 0 || isEmptied)) delete object[name];
  return isRemoved;
}

/** But for the mount namespace, without which every mount would be wrong. */
function removeNamespaces({ linux }: Spec): boolean {
  const namespaces = linux?.namespaces ?? [];
  const isKept = namespaces.some(({ type }) => type === 'mount');
  if (linux === undefined || namespaces.length <= (isKept ? 1 : 0)) return false;
  linux.namespaces = isKept ? [{ type: 'mount' }] : [];
  return true;
}
