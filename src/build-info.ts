/** What the build knows and the source does not; scripts/lib/bundle.mjs puts the values in. */
declare const TSRUN_VERSION: string;
declare const TSRUN_COMMIT: string;
declare const TSRUN_STANDALONE: boolean;

/** The version in package.json. */
export const version = TSRUN_VERSION;

/** The short hash of the commit built from, or `unknown` outside a git checkout. */
export const commit = TSRUN_COMMIT;

/** Whether this is the JavaScript of the standalone executable (scripts/lib/standalone.mjs), not the bundle that Node runs. */
export const standalone = TSRUN_STANDALONE;
