/** The runtime for users who cannot reach the checkout, which may be in a directory of root. */
import { copyFileSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runtimeName, runtimePath } from './runtime.ts';

/**
 * Copies tsrun, in the form under test, to a directory; another runtime is found by its PATH.
 *
 * @param directory one that all users of the runtime can enter
 * @returns what to execute
 */
export function reachableRuntime(directory: string): string {
  if (runtimeName !== 'tsrun') return runtimePath;
  const original = realpathSync(runtimePath);
  // The Node form looks for its other files beside itself.
  const files = dirname(original).endsWith('/Release')
    ? ['Release/tsrun', 'Release/tsrun.node', 'tsrun.cjs']
    : ['standalone/tsrun'];
  const build = join(dirname(original), '..');
  for (const file of files) {
    const copy = join(directory, 'build', file);
    mkdirSync(dirname(copy), { recursive: true, mode: 0o755 });
    copyFileSync(join(build, file), copy);
  }
  return join(directory, 'build', files[0] ?? '');
}
