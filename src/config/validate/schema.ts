/**
 * Finds every place where a value breaks a schema of src/generated/schema-tables.ts, for the messages. The verdict
 * itself comes from ajv's generated code (validate.ts); the tests make sure that both agree.
 */
import type { ArraySchema, MapSchema, ObjectSchema, Schema } from '../../generated/schema-tables.ts';

/** A value that its schema refuses. */
export interface SchemaError {
  /** Property names and indices on the way to the value. */
  path: readonly (string | number)[];
  schema: Schema;
  value: unknown;
  /** The required property that the value, an object, lacks. */
  missing?: string;
}

/**
 * People read no more than this, and an array in a hostile config may have millions. With so many errors, there may be
 * more.
 */
export const maxSchemaErrors = 1000;

/** The first errors in document order; inside a value of the wrong type, nothing is checked. */
export function schemaErrors(schema: Schema, value: unknown): SchemaError[] {
  const errors: SchemaError[] = [];
  check(schema, value, [], errors);
  return errors;
}

function check(schema: Schema, value: unknown, path: (string | number)[], errors: SchemaError[]): void {
  if (errors.length === maxSchemaErrors) return;
  if (!accepts(schema, value)) errors.push({ path: [...path], schema, value });
  else if (schema.kind === 'object') checkProperties(schema, value as object, path, errors);
  else if (schema.kind === 'map') checkEntries(schema, value as object, path, errors);
  else if (schema.kind === 'array') checkItems(schema, value as unknown[], path, errors);
}

/** Checks the value itself, without its properties or items. */
function accepts(schema: Schema, value: unknown): boolean {
  switch (schema.kind) {
    case 'object':
    case 'map':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value) && value.length >= schema.minItems;
    case 'integer':
      return Number.isInteger(value) && (value as number) >= schema.minimum && (value as number) <= schema.maximum;
    case 'string':
      return typeof value === 'string' && (schema.pattern === undefined || schema.pattern.test(value));
    case 'boolean':
      return typeof value === 'boolean';
    case 'enum':
      return schema.values.includes(value as string);
  }
}

function checkProperties(schema: ObjectSchema, value: object, path: (string | number)[], errors: SchemaError[]): void {
  for (const missing of schema.required) {
    if (!Object.hasOwn(value, missing) && errors.length < maxSchemaErrors)
      errors.push({ path: [...path], schema, value, missing });
  }
  for (const name in value) {
    if (Object.hasOwn(schema.properties, name)) checkAt(schema.properties[name] as Schema, value, name, path, errors);
  }
}

function checkEntries(schema: MapSchema, value: object, path: (string | number)[], errors: SchemaError[]): void {
  if (schema.values === undefined) return;
  for (const name in value) checkAt(schema.values, value, name, path, errors);
}

function checkItems(schema: ArraySchema, value: unknown[], path: (string | number)[], errors: SchemaError[]): void {
  // Without iterators: most of a configuration consists of long lists of system calls and paths, each walked once by
  // cold code.
  for (let index = 0; index < value.length; index++) checkAt(schema.items, value, index, path, errors);
}

function checkAt(
  schema: Schema,
  parent: object,
  key: string | number,
  path: (string | number)[],
  errors: SchemaError[],
): void {
  const value = (parent as Record<string | number, unknown>)[key];
  if (schema.kind === 'string' && schema.pattern === undefined && typeof value === 'string') return;
  path.push(key);
  check(schema, value, path, errors);
  path.pop();
}
