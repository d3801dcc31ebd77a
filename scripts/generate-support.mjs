#!/usr/bin/env node
/**
 * Writes docs/support.md from the tables the code runs on.
 *
 * `node scripts/generate-support.mjs [--check]`; --check writes nothing and fails when the file is stale.
 */
import { generateDocument } from './lib/generated-document.mjs';

await generateDocument('docs/support.md', 'scripts/lib/support.ts', 'supportText');
