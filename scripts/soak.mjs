#!/usr/bin/env node
/**
 * `npm run soak [-- CONTAINERS [AT-ONCE]]`: 20,000 containers, 8 at once, with kills, updates, pauses and deaths of the
 * runtime in between, and what the kernel holds before and after. Fails when a command does, or when something has
 * grown. Prints the figures; RUNTIME is the runtime under test, as for npm run test:faults.
 *
 * `npm run soak -- --shim [CONTAINERS [AT-ONCE]]`: 1,000 containers of the resident shim, 8 at once, with terminals, execs
 * and connections, and what its engine and keeper hold before and after, also after every 500.
 *
 * `npm run soak -- --shim --pods [PODS [SECONDS]]`: 100 pods for ten minutes, with a probe by exec in each every 10 s.
 */
import { runProgram } from './lib/program.mjs';

await runProgram('test/soak/main.ts');
