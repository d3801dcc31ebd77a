/**
 * Finds the part of a config that validation accepts, so that the host is asked about it at once and not at the next
 * try.
 */
import { SpecError } from '../config/validate/finding.ts';
import type { NamedProblem, SpecSource } from '../config/validate/places.ts';
import { validateSpec } from '../config/validate/validate.ts';
import type { Spec } from '../generated/spec.ts';
import { Remainder } from './remainder.ts';

/** Removing one part may make others invalid: each round finds the next ones. */
const maxRounds = 8;

export interface Accepted {
  readonly rest: Remainder;
  /** Findings of rules that did not run before, because the schema had refused something that they read. */
  readonly more: readonly NamedProblem[];
}

/** @returns undefined when too little is valid */
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

/**
 * Whether a finding has nothing to do with what has been removed. If that is not certain, the next try shows the
 * finding.
 */
function isNoConsequence(rest: Remainder): (problem: NamedProblem) => boolean {
  return ({ rule, pointer }) => {
    const isAlone = !rest.isTouched('/linux/namespaces') && !rest.isNearTouched(rest.originalOf(pointer));
    return rule !== 'schema' && isAlone;
  };
}

/**
 * False for objects that must stay, because nothing could be checked without them; a missing part of theirs is filled
 * in.
 */
function isNoHolder(pointer: string): boolean {
  return pointer !== '' && pointer !== '/process';
}

/** @returns whether anything had to be filled in */
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

/** Without a mount namespace, every mount would be wrong. */
function keepMountNamespace(rest: Remainder): void {
  if (!rest.isTouched('/linux/namespaces')) return;
  const spec = rest.value as Partial<Spec>;
  spec.linux ??= {};
  spec.linux.namespaces ??= [];
  if (!spec.linux.namespaces.some(({ type }) => type === 'mount')) spec.linux.namespaces.push({ type: 'mount' });
}
