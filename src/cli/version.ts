import { commit, version } from '../build-info.ts';

/** The version of the runtime-spec that tsrun carries out. */
export const specVersion = '1.3.0';

/** The lines that engines read: go-runc takes the first, moby looks for `commit:` and `spec:`. */
export function versionText(): string {
  return `tsrun version ${version}\ncommit: ${commit}\nspec: ${specVersion}`;
}
