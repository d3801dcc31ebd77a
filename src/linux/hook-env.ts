import type { Hook } from '../generated/spec.ts';

/**
 * A hook without `env` gets the environment that belongs to its program, the runtime's or the container's, as in runc
 * and crun.
 */
export function ownEnv({ env }: Hook): { env: readonly string[]; inherits: 'runtime' | null } {
  return env === undefined ? { env: [], inherits: 'runtime' } : { env, inherits: null };
}
