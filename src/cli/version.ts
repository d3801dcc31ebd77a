import { commit, version } from '../build-info.ts';
import { specVersion } from '../spec-version.ts';

/** The lines that engines read: go-runc takes the first, moby looks for `commit:` and `spec:`. */
export function versionText(): string {
  return `tsrun version ${version}\ncommit: ${commit}\nspec: ${specVersion}`;
}

/** The same flags as runc's. */
export const versionFlags: readonly string[] = ['-v', '--version'];
