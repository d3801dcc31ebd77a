#!/usr/bin/env node
/**
 * Writes docs/support.md from the tables that the code uses.
 *
 * `node scripts/generate-support.mjs [--check]`; --check writes nothing and fails if the file is stale.
 */
import { generateDocument } from './lib/generated-document.mjs';

await generateDocument('docs/support.md', 'scripts/lib/support.ts', 'supportText');
