#!/usr/bin/env node
/**
 * `npm run test:faults [-- [--cases N] [--call NAME] [--jobs N] [SCENARIO ...]]`: breaks the system calls of every
 * command, one at a time, and says what comes of it (docs/reliability.md). Fails when something is found. --cases: of
 * each scenario, N spread evenly, instead of all. --call: only those of this system call. SCENARIO is a row of the table
 * that it prints.
 *
 * RUNTIME is the runtime under test: tsrun, crun, runc, or an absolute path (build/Release/tsrun is the form on Node).
 */
import { runProgram } from './lib/program.mjs';

await runProgram('test/faults/main.ts');
