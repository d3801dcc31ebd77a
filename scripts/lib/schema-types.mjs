/**
 * TypeScript types from our JSON Schemas. Knows the part of JSON Schema that schemas/ uses and throws on any other
 * keyword, so that no constraint is lost unnoticed.
 */
const known = new Set(
  '$ref additionalProperties description enum items maximum minItems minimum pattern properties required type'.split(
    ' ',
  ),
);

/** @param {Map<string, object>} definitions every $defs entry of every schema, by its name */
export function specTypes(definitions) {
  const types = [];
  for (const [name, schema] of definitions) if (isNamed(name)) types.push(declaration(name, schema, definitions));
  return `${types.join('\n\n')}\n`;
}

/** Objects and enums have names in PascalCase and get a type of their own; scalars are written where they are used. */
function isNamed(name) {
  return /^[A-Z]/.test(name);
}

function declaration(name, schema, definitions) {
  if (schema.properties === undefined) {
    return `${comment(schema.description, '')}export type ${name} = ${expression(schema, definitions)};`;
  }
  const required = new Set(schema.required);
  const lines = Object.entries(schema.properties).map(([key, property]) => {
    const mark = required.has(key) ? '' : '?';
    return `${comment(property.description, '  ')}  ${key}${mark}: ${expression(property, definitions)};`;
  });
  return `${comment(schema.description, '')}export interface ${name} {\n${lines.join('\n')}\n}`;
}

function comment(text, indent) {
  return text === undefined ? '' : `${indent}/** ${text} */\n`;
}

function expression(schema, definitions) {
  for (const key of Object.keys(schema)) if (!known.has(key)) throw new Error(`schema keyword not known here: ${key}`);
  if (schema.$ref !== undefined) return reference(schema.$ref, definitions);
  if (schema.enum !== undefined) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (schema.type === 'array') return `${expression(schema.items, definitions)}[]`;
  if (schema.type === 'object') return `Record<string, ${valueType(schema, definitions)}>`;
  const scalar = { string: 'string', boolean: 'boolean', integer: 'number' }[schema.type];
  if (scalar === undefined) throw new Error(`schema type not known here: ${schema.type}`);
  return scalar;
}

function valueType(schema, definitions) {
  if (schema.properties !== undefined) throw new Error('an object with properties must be a definition with a name');
  return schema.additionalProperties === undefined ? 'unknown' : expression(schema.additionalProperties, definitions);
}

function reference(ref, definitions) {
  const name = definitionName(ref);
  return isNamed(name) ? name : expression(definitions.get(name), definitions);
}

/** The name at the end of a $ref. Names are unique over all schemas. */
export function definitionName(ref) {
  return ref.slice(ref.lastIndexOf('/') + 1);
}
