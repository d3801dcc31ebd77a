import type { Hook } from '../generated/spec.ts';

/** A hook without `env` gets the environment of whoever's program it is, as with runc and crun. */
export function ownEnv({ env }: Hook): { env: readonly string[]; inherits: 'runtime' | null } {
  return env === undefined ? { env: [], inherits: 'runtime' } : { env, inherits: null };
}
