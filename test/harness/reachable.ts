/** The runtime for users who cannot reach the checkout, which may be below a directory of root's own. */
import { copyFileSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runtimeName, runtimePath } from './runtime.ts';

/**
 * Copies tsrun to where the caller is, in the form under test; another runtime is found by its PATH.
 *
 * @param directory one that everybody who is to use it can enter
 * @returns what is to be executed
 */
export function reachableRuntime(directory: string): string {
  if (runtimeName !== 'tsrun') return runtimePath;
  const original = realpathSync(runtimePath);
  // The Node form finds its other files from where it is itself.
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
