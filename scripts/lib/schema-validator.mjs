/** Code that accepts or refuses a config. ajv compiles it from the schemas at build time. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { default: Ajv } = require('ajv');
const { default: standalone } = require('ajv/dist/standalone');

/**
 * Source of `NAME(value): boolean`. It runs on the start-up path and says only yes or no; after a no,
 * src/config/validate/schema.ts finds what is wrong and where. So it stops at the first error, and the code with which
 * ajv collects errors is left out: more than half. What ajv writes has no types, hence @ts-nocheck.
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

/**
 * The code with which ajv collects errors. It is not needed for schemas without anyOf, oneOf, not and if: there every
 * error is final.
 */
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

/** Drops texts for people, and "$schema": the schemas use only the part of its dialect that draft-07 has, too. */
function withoutProse(value) {
  if (Array.isArray(value)) return value.map(withoutProse);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(
    ([name, inner]) =>
      !['$schema', '$comment'].includes(name) && !(name === 'description' && typeof inner === 'string'),
  );
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutProse(inner)]));
}
