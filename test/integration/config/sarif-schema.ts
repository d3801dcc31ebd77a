/**
 * The part of SARIF 2.1.0's JSON Schema (OASIS, sarif-schema-2.1.0.json) about the properties that tsrun writes: the
 * same names, types, required properties, enumerations and bounds.
 */

const text = { type: 'string' };
const index = { type: 'integer', minimum: -1 };
const positive = { type: 'integer', minimum: 1 };

/** Every object of the schema allows only these properties. */
const object = (properties: Record<string, object>, ...required: string[]) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});

const message = object({ text }, 'text');

const location = object({
  physicalLocation: object({
    artifactLocation: object({ uri: { ...text, pattern: '^[^ \\\\]*$' } }),
    region: object({ startLine: positive, startColumn: positive }),
  }),
  logicalLocations: { type: 'array', uniqueItems: true, items: object({ fullyQualifiedName: text }) },
});

const result = object(
  {
    ruleId: text,
    ruleIndex: index,
    level: { enum: ['none', 'note', 'warning', 'error'] },
    message,
    locations: { type: 'array', items: location },
  },
  'message',
);

const driver = object(
  { name: text, version: text, rules: { type: 'array', uniqueItems: true, items: object({ id: text }, 'id') } },
  'name',
);

const run = object(
  {
    tool: object({ driver }, 'driver'),
    columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
    results: { type: 'array', items: result },
  },
  'tool',
);

export const sarifSchema = object(
  { $schema: text, version: { enum: ['2.1.0'] }, runs: { type: 'array', items: run } },
  'version',
  'runs',
);
