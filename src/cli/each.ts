import { asTsrunError } from '../errors.ts';
import { log, logError } from '../log.ts';

/**
 * Tries all of them, even when one fails.
 *
 * @throws the last failure; earlier ones have been logged
 */
export function eachOf(ids: readonly string[], action: (id: string) => void): void {
  const failures: unknown[] = [];
  for (const id of ids) {
    try {
      action(id);
    } catch (error) {
      failures.push(error);
    }
  }
  for (const error of failures.slice(0, -1)) {
    const known = asTsrunError(error);
    if (known === undefined) log('error', (error as Error).message);
    else logError('error', known);
  }
  if (failures.length > 0) throw failures.at(-1);
}
