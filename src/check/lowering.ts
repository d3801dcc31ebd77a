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

/** Takes the property away; of an item the whole list, as the others must keep their numbers. False: it is not there. */
function remove(spec: Spec, pointer: string): boolean {
  const names = pointer.split('/').slice(1);
  const end = names.findLastIndex((name) => !/^\d+$/.test(name));
  let parent: unknown = spec;
  for (const name of names.slice(0, Math.max(end, 0))) parent = (parent as Record<string, unknown> | undefined)?.[name];
  const name = names[end];
  if (pointer.startsWith('/linux/namespaces')) return removeNamespaces(spec);
  if (name === undefined || typeof parent !== 'object' || parent === null || !(name in parent)) return false;
  delete (parent as Record<string, unknown>)[name];
  return true;
}

/** But for the mount namespace, without which every mount would be wrong. */
function removeNamespaces({ linux }: Spec): boolean {
  const namespaces = linux?.namespaces ?? [];
  const isKept = namespaces.some(({ type }) => type === 'mount');
  if (linux === undefined || namespaces.length <= (isKept ? 1 : 0)) return false;
  linux.namespaces = isKept ? [{ type: 'mount' }] : [];
  return true;
}
