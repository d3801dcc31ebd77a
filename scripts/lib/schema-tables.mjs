/**
 * Makes the tables that src/config/validate/schema.ts walks over: a constant for each definition, after those it refers
 * to. scripts/lib/schema-types.mjs refuses every keyword that is not handled here.
 */
import { definitionName } from './schema-types.mjs';

/**
 * @param {Map<string, object>} definitions every $defs entry of every schema, by its name
 * @param {string[]} roots the definitions to export
 */
export function schemaTables(definitions, roots) {
  const written = new Map();
  for (const root of roots) write(root, definitions, written);
  const constants = [...written].map(([name, table]) => {
    return `${roots.includes(name) ? 'export ' : ''}const ${name}: Schema = ${table};`;
  });
  return `${types}\n\n${scalars}\n\n${constants.join('\n')}\n`;
}

/** The types of the tables. */
const types = `/** The part of JSON Schema that schemas/ uses, $refs replaced by what they refer to. */
export type Schema = ObjectSchema | MapSchema | ArraySchema | IntegerSchema | StringSchema | BooleanSchema | EnumSchema;

export interface ObjectSchema {
  kind: 'object';
  properties: Readonly<Record<string, Schema>>;
  required: readonly string[];
}
/** An object of any names; without \`values\` its contents are not looked at. */
export interface MapSchema {
  kind: 'map';
  values: Schema | undefined;
}
export interface ArraySchema {
  kind: 'array';
  items: Schema;
  minItems: number;
}
export interface IntegerSchema {
  kind: 'integer';
  minimum: number;
  maximum: number;
}
export interface StringSchema {
  kind: 'string';
  pattern: RegExp | undefined;
}
export interface BooleanSchema {
  kind: 'boolean';
}
export interface EnumSchema {
  kind: 'enum';
  values: readonly string[];
}`;

const scalars = `const string: Schema = { kind: 'string', pattern: undefined };
const boolean: Schema = { kind: 'boolean' };`;

function write(name, definitions, written) {
  const schema = definitions.get(name);
  for (const ref of references(schema)) if (!written.has(ref)) write(ref, definitions, written);
  written.set(name, table(schema));
}

function references(schema) {
  if (typeof schema !== 'object' || schema === null) return [];
  const inner = Object.values(schema).flatMap(references);
  return typeof schema.$ref === 'string' ? [definitionName(schema.$ref), ...inner] : inner;
}

function table(schema) {
  if (schema.$ref !== undefined) return definitionName(schema.$ref);
  if (schema.enum !== undefined) return `{ kind: 'enum', values: ${JSON.stringify(schema.enum)} }`;
  switch (schema.type) {
    case 'object':
      return schema.properties === undefined ? mapTable(schema) : objectTable(schema);
    case 'array':
      return `{ kind: 'array', items: ${table(schema.items)}, minItems: ${schema.minItems ?? 0} }`;
    case 'integer':
      return integerTable(schema);
    case 'string':
      return schema.pattern === undefined ? 'string' : `{ kind: 'string', pattern: /${schema.pattern}/u }`;
    case 'boolean':
      return 'boolean';
    default:
      throw new Error(`schema type not known here: ${schema.type}`);
  }
}

function mapTable({ additionalProperties: values }) {
  return `{ kind: 'map', values: ${values === undefined ? 'undefined' : table(values)} }`;
}

function objectTable({ properties, required = [] }) {
  const entries = Object.entries(properties).map(([name, property]) => `\n  ${name}: ${table(property)},`);
  return `{ kind: 'object', required: ${JSON.stringify(required)}, properties: {${entries.join('')}\n} }`;
}

function integerTable({ minimum = '-Infinity', maximum = 'Infinity' }) {
  return `{ kind: 'integer', minimum: ${minimum}, maximum: ${maximum} }`;
}
