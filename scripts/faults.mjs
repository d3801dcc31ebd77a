#!/usr/bin/env node
/**
 * `npm run test:faults [-- [--cases N] [--call NAME] [--jobs N] [SCENARIO ...]]`: makes the system calls of every
 * command fail, one at a time, and prints what happens then (docs/reliability.md). Fails if it finds a fault. --cases:
 * only N cases of each scenario, spread evenly. --call: only cases of this system call. SCENARIO is a row of the table
 * that it prints.
 *
 * RUNTIME is the runtime under test: tsrun, crun, runc, or an absolute path (build/Release/tsrun is the form on Node).
 */
import { runProgram } from './lib/program.mjs';

await runProgram('test/faults/main.ts');
