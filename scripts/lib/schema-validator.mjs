/** The verdict on a configuration as code: ajv compiles it from the schemas at build time. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { default: Ajv } = require('ajv');
const { default: standalone } = require('ajv/dist/standalone');

/**
 * Source of `NAME(value): boolean`. It says only yes or no, on the start-up path; what is wrong, and where,
 * is found by src/config/validate/schema.ts when the answer was no. So the first error is the end, and all that ajv would do to
 * collect errors is left out: more than half of its code.
 *
 * @param schemas by file, as read
 * @param name of the function
 * @param id of the schema
 */
export function validator(schemas, name, id) {
  const options = { code: { source: true, esm: true, optimize: 2 }, messages: false, inlineRefs: true, strict: false };
  const ajv = new Ajv(options);
  for (const schema of schemas) ajv.addSchema(withoutProse(schema));
  const source = verdictOnly(standalone(ajv, { [name]: id }).replace('"use strict";', ''));
  return `// @ts-nocheck\n/* biome-ignore-all format: generated */\n${source}\n`;
}

/** What ajv writes to collect errors, none of which a schema without anyOf, oneOf, not and if survives. */
const collecting = [
  [/validate\d+\.errors = \[\{.*?\}\];return false;/g, 'return false;'],
  [
    /vErrors = vErrors === null \? validate\d+\.errors : vErrors\.concat\(validate\d+\.errors\);errors = vErrors\.length;/g,
    'return false;',
  ],
  [/,? ?\{instancePath[:,][^{}]*\}\)/g, ')'],
  [/, \{instancePath="", parentData, parentDataProperty, rootData=data\}=\{\}\)/g, ')'],
  [/const _errs\d+ = errors;/g, ''],
  [/var valid\d+ = (?:_errs\d+ === errors|true);/g, ''],
  [/else \{\}/g, ''],
  [/if\(!valid\d+\)\{break;\}/g, ''],
  [/if\((?:valid\d+|errors === (?:0|_errs\d+))\)\{/g, '{'],
  [/let vErrors = null;|let errors = 0;|\/\*# sourceURL="[^"]*" \*\/;/g, ''],
  [/validate\d+\.errors = vErrors;return errors === 0;/g, 'return true;'],
  // The schemas themselves, which nothing reads.
  [/const schema\d+ = \{.*?\};(?=const|function)/g, ''],
];

function verdictOnly(source) {
  const verdict = collecting.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), source);
  if (/rrors|valid\d|anyOf|oneOf|instancePath/.test(verdict))
    throw new Error('ajv collects errors in another way than schema-validator.mjs expects');
  return verdict;
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
