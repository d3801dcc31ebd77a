#!/usr/bin/env node
/**
 * `npm run soak [-- CONTAINERS [AT-ONCE]]`: 20,000 containers, 8 at once, with kills, updates, pauses and deaths of the
 * runtime in between, and what the kernel holds before and after. Fails when a command does, or when something has
 * grown. Prints the figures; RUNTIME is the runtime under test, as for npm run test:faults.
 */
import { runProgram } from './lib/program.mjs';

await runProgram('test/soak/main.ts');
