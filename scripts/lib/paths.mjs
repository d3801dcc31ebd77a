/** Paths in the checkout; every script uses these names. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** @param {...string} parts */
export const inRoot = (...parts) => path.join(root, ...parts);

/** Ends the script with one readable line instead of a stack trace. */
export function fail(message) {
  process.stderr.write(`${path.basename(process.argv[1] ?? 'script')}: ${message}\n`);
  process.exit(1);
}
