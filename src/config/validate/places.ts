/** Finds the places of problems in the text of a document. */
import { findValue } from '../read/find-value.ts';
import { scanJson } from '../read/json-scanner.ts';
import { maxDepth } from '../read/parse.ts';
import { PlaceFinder, parentPointer } from '../read/pointer.ts';
import type { Finding, Problem } from './finding.ts';

/** Where a value comes from, for the places in messages. */
export interface SpecSource {
  text: string;
  path: string;
}

/** A problem and the check that found it. */
export interface NamedProblem extends Problem {
  rule: string;
}

/** Adds the places, and sorts by them. */
export function locate(problems: readonly NamedProblem[], { text }: SpecSource): Finding[] {
  if (problems.length === 0) return [];
  const scan = problems.length > maxSought ? scanJson(text, maxDepth).values : undefined;
  const offsetAt = (pointer: string) => (scan === undefined ? findValue(text, pointer) : scan.get(pointer));
  const places = new PlaceFinder(text);
  return problems
    .map((problem) => ({ problem, offset: offsetOf(problem.pointer, offsetAt) }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ problem, offset }, index) => ({ ...problem, hint: hintOf(problem, index), ...places.at(offset) }));
}

/** Up to this many problems are located one by one; beyond, it is faster to find the places of all values. */
const maxSought = 8;

/** How many problems get a hint: the nearest of 41 words takes a millisecond, and a config may have a million. */
const maxHints = 100;

function hintOf({ hint }: Problem, index: number): string | undefined {
  if (typeof hint !== 'function') return hint;
  return index < maxHints ? hint() : undefined;
}

/** Offset of the value, or of the nearest object around it if the pointer names a missing property. */
export function offsetOf(pointer: string, offsetAt: (pointer: string) => number | undefined): number {
  const offset = offsetAt(pointer);
  if (offset !== undefined || pointer === '') return offset ?? 0;
  return offsetOf(parentPointer(pointer), offsetAt);
}
