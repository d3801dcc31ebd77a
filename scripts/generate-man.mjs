#!/usr/bin/env node
/**
 * Writes docs/man/tsrun.1 from the declarations of the command line.
 *
 * `node scripts/generate-man.mjs [--check]`; --check writes nothing and fails if the file is stale.
 */
import { generateDocument } from './lib/generated-document.mjs';

await generateDocument('docs/man/tsrun.1', 'scripts/lib/man.ts', 'manualPage');
