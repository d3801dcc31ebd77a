/** The verdict on a configuration as code: ajv compiles it from the schemas at build time. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { default: Ajv } = require('ajv');
const { default: standalone } = require('ajv/dist/standalone');

/**
 * Source of `validateConfig(value): boolean`. It says only yes or no, on the start-up path; what is wrong, and where,
 * is found by src/config/validate/schema.ts when the answer was no. So the error objects that ajv would build, a third of its
 * code, are left out.
 *
 * @param schemas by file, as read
 * @param id of the schema of a whole configuration
 */
export function configValidator(schemas, id) {
  const options = { code: { source: true, esm: true, optimize: 2 }, messages: false, inlineRefs: false, strict: false };
  const ajv = new Ajv(options);
  for (const schema of schemas) ajv.addSchema(withoutProse(schema));
  const source = standalone(ajv, { validateConfig: id }).replace(/\.errors = \[\{.*?\}\];/g, '.errors = refused;');
  if (/\.errors = \[/.test(source))
    throw new Error('ajv builds its errors in another way than schema-validator.mjs expects');
  return `// @ts-nocheck\n/* biome-ignore-all format: generated */\nconst refused = [0];\n${source.replace('"use strict";', '')}\n`;
}

/** Texts for people; "$schema" names a dialect of which only the part that draft-07 has too is used. */
function withoutProse(value) {
  if (Array.isArray(value)) return value.map(withoutProse);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(
    ([name, inner]) =>
      !['$schema', '$comment'].includes(name) && !(name === 'description' && typeof inner === 'string'),
  );
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutProse(inner)]));
}
