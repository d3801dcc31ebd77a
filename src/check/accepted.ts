/** What validation has no quarrel with, so that the host is asked about it at once and not at the next try. */
import { SpecError } from '../config/validate/finding.ts';
import type { NamedProblem, SpecSource } from '../config/validate/places.ts';
import { validateSpec } from '../config/validate/validate.ts';
import type { Spec } from '../generated/spec.ts';
import { Remainder } from './remainder.ts';

/** Taking one thing away may have others refused: each round finds all of its own. */
const maxRounds = 8;

export interface Accepted {
  readonly rest: Remainder;
  /** What rules say that were not asked before, as the schema had refused something that they read. */
  readonly more: readonly NamedProblem[];
}

/** @returns undefined when too little is right */
export function acceptedPart(value: unknown, source: SpecSource, refused: SpecError): Accepted | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const rest = new Remainder(value);
  const more: NamedProblem[] = [];
  let findings = refused.findings;
  for (let round = 0; round < maxRounds; round++) {
    const isLess = rest.removeAll(findings.map(({ pointer }) => pointer).filter(isNoHolder));
    const isMore = fillIn(rest);
    if (!isLess && !isMore) return undefined;
    try {
      validateSpec(rest.value, source);
      return { rest, more };
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      findings = error.findings;
      more.push(
        ...findings.filter(isNoConsequence(rest)).map((one) => ({ ...one, pointer: rest.originalOf(one.pointer) })),
      );
    }
  }
  return undefined;
}

/** Whether a finding has nothing to do with what has been taken away; where that is not sure, the next try shows it. */
function isNoConsequence(rest: Remainder): (problem: NamedProblem) => boolean {
  return ({ rule, pointer }) => {
    const isAlone = !rest.isTouched('/linux/namespaces') && !rest.isNearTouched(rest.originalOf(pointer));
    return rule !== 'schema' && isAlone;
  };
}

/** Of these a part is missing, which is filled in; without them there would be nothing to ask about. */
function isNoHolder(pointer: string): boolean {
  return pointer !== '' && pointer !== '/process';
}

/** @returns whether there was something to fill in */
function fillIn(rest: Remainder): boolean {
  const spec = rest.value as Partial<Spec>;
  const before = JSON.stringify(spec);
  rest.fill('', 'ociVersion', '1.0.0');
  rest.fill('', 'root', { path: 'rootfs' });
  if (typeof spec.process !== 'object' || Array.isArray(spec.process)) rest.remove('/process');
  rest.fill('/process', 'cwd', '/');
  rest.fill('/process', 'args', ['sh']);
  keepMountNamespace(rest);
  return JSON.stringify(spec) !== before;
}

/** Without it every mount would be wrong. */
function keepMountNamespace(rest: Remainder): void {
  if (!rest.isTouched('/linux/namespaces')) return;
  const spec = rest.value as Partial<Spec>;
  spec.linux ??= {};
  spec.linux.namespaces ??= [];
  if (!spec.linux.namespaces.some(({ type }) => type === 'mount')) spec.linux.namespaces.push({ type: 'mount' });
}
