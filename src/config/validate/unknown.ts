/** Properties that the schema does not know. By the specification they are ignored; `tsrun check` lists them. */

import { type ObjectSchema, type Schema, Spec } from '../../generated/schema-tables.ts';
import { didYouMean } from '../../suggest.ts';
import { appendPointer } from '../read/pointer.ts';
import type { Problem } from './finding.ts';

/** Properties of earlier versions of the specification, and what replaced them. */
const renamed: Readonly<Record<string, string>> = {
  '/linux/intelRdt/enableCMT': 'replaced by enableMonitoring',
  '/linux/intelRdt/enableMBM': 'replaced by enableMonitoring',
  '/platform': 'removed from the specification in 1.0.0-rc6',
  '/linux/resources/disableOOMKiller': 'moved to /linux/resources/memory/disableOOMKiller',
  '/linux/resources/oomScoreAdj': 'moved to /process/oomScoreAdj',
};

/** @param value of any shape; parts of the wrong type are skipped */
export function unknownProblems(value: unknown): Problem[] {
  return walk(Spec, value, '');
}

function walk(schema: Schema, value: unknown, pointer: string): Problem[] {
  if (typeof value !== 'object' || value === null) return [];
  if (schema.kind === 'array' && Array.isArray(value)) {
    return value.flatMap((item, index) => walk(schema.items, item, appendPointer(pointer, index)));
  }
  if (schema.kind !== 'object' && schema.kind !== 'map') return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const innerPointer = appendPointer(pointer, name);
    const innerSchema = schema.kind === 'map' ? schema.values : own(schema, name);
    if (innerSchema !== undefined) return walk(innerSchema, inner, innerPointer);
    return schema.kind === 'map' ? [] : [unknownProblem(schema, value, name, innerPointer)];
  });
}

function own(schema: ObjectSchema, name: string): Schema | undefined {
  return Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
}

function unknownProblem(schema: ObjectSchema, value: object, name: string, pointer: string): Problem {
  const free = Object.keys(schema.properties).filter((candidate) => !Object.hasOwn(value, candidate));
  return { pointer, message: 'unknown property, ignored', hint: renamed[pointer] ?? (() => didYouMean(name, free)) };
}
