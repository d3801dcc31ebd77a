/** Values that the build knows and the source does not; scripts/lib/bundle.mjs puts them in. */
declare const TSRUN_VERSION: string;
declare const TSRUN_COMMIT: string;
declare const TSRUN_STANDALONE: boolean;

/** The version in package.json. */
export const version = TSRUN_VERSION;

/** The short hash of the built commit, or `unknown` outside a git checkout. */
export const commit = TSRUN_COMMIT;

/** Whether this is the standalone executable's JavaScript (scripts/lib/standalone.mjs), not the bundle for Node. */
export const standalone = TSRUN_STANDALONE;
