#!/usr/bin/env node
/**
 * Writes into src/generated/ what comes from schemas/: the TypeScript types (spec.ts), ajv's compiled code that accepts
 * or refuses a config and the parts of one that commands read (validate-*.ts), and the tables that explain a refusal
 * (schema-tables.ts).
 *
 * `node scripts/generate-schemas.mjs [--check]`; --check writes nothing and fails if a file is stale.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from './lib/paths.mjs';
import { schemaTables } from './lib/schema-tables.mjs';
import { specTypes } from './lib/schema-types.mjs';
import { validator } from './lib/schema-validator.mjs';

const notice = '// Written by scripts/generate-schemas.mjs from schemas/*.schema.json: edit those and run it.\n\n';

main(process.argv.includes('--check'));

function main(check) {
  const schemas = readSchemas();
  const definitions = collectDefinitions(schemas);
  const files = {
    'spec.ts': notice + specTypes(definitions),
    'validate-config.ts': notice + validator(schemas, 'validateConfig', 'config.schema.json'),
    'validate-process.ts': notice + validator(schemas, 'validateProcess', 'config.schema.json#/$defs/Process'),
    'validate-resources.ts':
      notice + validator(schemas, 'validateResources', 'resources.schema.json#/$defs/LinuxResources'),
    'schema-tables.ts': notice + schemaTables(definitions, ['Spec', 'State', 'Features']),
  };
  const stale = Object.entries(files).filter(([name, text]) => isStale(name, text));
  for (const [name, text] of stale) {
    if (check) console.error(`src/generated/${name} is stale; run: node scripts/generate-schemas.mjs`);
    else writeFileSync(generated(name), text);
  }
  process.exitCode = check && stale.length > 0 ? 1 : 0;
}

function readSchemas() {
  const names = readdirSync(inRoot('schemas')).filter((name) => name.endsWith('.schema.json'));
  return names.sort().map((name) => JSON.parse(readFileSync(inRoot('schemas', name), 'utf8')));
}

function collectDefinitions(schemas) {
  const definitions = new Map();
  for (const schema of schemas) {
    for (const [name, definition] of Object.entries(schema.$defs)) {
      if (definitions.has(name)) throw new Error(`two definitions named ${name} in schemas/`);
      definitions.set(name, definition);
    }
  }
  return definitions;
}

function isStale(name, text) {
  try {
    return readFileSync(generated(name), 'utf8') !== text;
  } catch {
    return true;
  }
}

function generated(name) {
  return inRoot('src', 'generated', name);
}
