#!/usr/bin/env node
/**
 * Writes src/generated/explain.ts, what `tsrun explain` prints, from the schemas, the op table and the tables of
 * docs/support.md.
 *
 * `node scripts/generate-explain.mjs [--check]`; --check writes nothing and fails if the file is stale.
 */
import { generateDocument } from './lib/generated-document.mjs';

await generateDocument('src/generated/explain.ts', 'scripts/lib/explain.ts', 'explainText');
