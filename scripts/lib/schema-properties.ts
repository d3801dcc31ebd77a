/** Every property that a config.json for Linux can hold, from schemas/. */
import config from '../../schemas/config.schema.json';
import definitions from '../../schemas/definitions.schema.json';
import linux from '../../schemas/linux.schema.json';
import resources from '../../schemas/resources.schema.json';

/** The keywords that the walk looks at. */
interface Schema {
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  required?: string[];
  $ref?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
}

export interface SchemaProperty {
  /** JSON pointer with `*` for array indices and for the names of a map: `/mounts/*` + `/source`. */
  readonly pattern: string;
  readonly description: string;
  /** Whether it has no properties itself. */
  readonly leaf: boolean;
  /** The type in words. */
  readonly type: string;
  /** The values of an enumeration. */
  readonly values?: readonly string[];
  /** How many properties it, or each of its items, must have. */
  readonly required: number;
}

const files: Record<string, { $defs: Record<string, Schema> }> = {
  'config.schema.json': config as never,
  'definitions.schema.json': definitions as never,
  'linux.schema.json': linux as never,
  'resources.schema.json': resources as never,
};

/** In the order of the schema. Properties of other platforms, whose description ends in "not read.", are left out. */
export function linuxProperties(): SchemaProperty[] {
  const found: SchemaProperty[] = [];
  walk(resolve({ $ref: '#/$defs/Spec' }, 'config.schema.json'), '', found);
  return found;
}

interface Located {
  schema: Schema;
  /** The file that its references are relative to. */
  file: string;
}

function walk({ schema, file }: Located, pattern: string, found: SchemaProperty[]): void {
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const description = describe(child, file);
    if (description.endsWith('not read.')) continue;
    const below: SchemaProperty[] = [];
    walk(resolve(child, file), `${pattern}/${name}`, below);
    const own = shapeOf(resolve(child, file));
    found.push({ pattern: `${pattern}/${name}`, description, leaf: below.length === 0, ...own }, ...below);
  }
  for (const child of [schema.items, schema.additionalProperties]) {
    if (child !== undefined) walk(resolve(child, file), `${pattern}/*`, found);
  }
}

function shapeOf({ schema, file }: Located): Pick<SchemaProperty, 'type' | 'values' | 'required'> {
  const { type = 'object', enum: values, items, additionalProperties, required = [] } = schema;
  if (values !== undefined) return { type: 'string', values: values.filter(Boolean), required: 0 };
  if (items !== undefined) {
    const item = shapeOf(resolve(items, file));
    return { ...item, type: `array: each item is ${item.values ? 'one of the values' : article(item.type)}` };
  }
  if (additionalProperties !== undefined) {
    const { type: inner } = shapeOf(resolve(additionalProperties, file));
    return { type: `object: of each name the value is ${article(inner)}`, required: 0 };
  }
  return { type: type === 'integer' ? range(schema) : type, required: required.length };
}

function article(type: string): string {
  return /^(array|integer|object)/.test(type) ? `an ${type}` : `a ${type}`;
}

function range({ minimum, maximum }: Schema): string {
  if (minimum === undefined) return 'integer';
  return maximum === undefined
    ? `integer from ${bound(minimum)} on`
    : `integer from ${bound(minimum)} to ${bound(maximum)}`;
}

/** Limits of 64 bits do not fit into a double: the parser has rounded them up by one. */
function bound(limit: number): bigint {
  return BigInt(limit) - (limit >= 2 ** 63 ? 1n : 0n);
}

/** The property's own description, or that of the definition that it refers to. */
function describe(schema: Schema, file: string): string {
  return schema.description ?? resolve(schema, file).schema.description ?? '';
}

function resolve(schema: Schema, file: string): Located {
  if (schema.$ref === undefined) return { schema, file };
  const [name = '', pointer = ''] = schema.$ref.split('#');
  const target = name === '' ? file : name;
  const definition = files[target]?.$defs[pointer.replace('/$defs/', '')];
  if (definition === undefined) throw new Error(`schemas/ has no ${schema.$ref}`);
  return resolve(definition, target);
}
