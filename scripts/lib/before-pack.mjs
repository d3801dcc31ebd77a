/** Before `npm pack`: a package without an executable would install a command that cannot start. */
import { existsSync } from 'node:fs';
import { fail, inRoot } from './paths.mjs';

const executables = ['build/standalone/tsrun', 'build/aarch64/standalone/tsrun'];
const missing = executables.filter((file) => !existsSync(inRoot(file)));
if (missing.length === executables.length) fail('nothing is built to be packed: npm run setup && npm run build');
for (const file of missing) process.stderr.write(`pack: ${file} is not built and not in the package\n`);
