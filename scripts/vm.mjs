#!/usr/bin/env node
/** `npm run vm -- [--tier uml|qemu] [--share DIR] [COMMAND...]`: see docs/vm.md. */
import { loadVmLibrary } from './lib/vm.mjs';

const { main } = await loadVmLibrary();
process.exitCode = await main(process.argv.slice(2));
