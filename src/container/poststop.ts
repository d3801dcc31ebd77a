import { logError } from '../log.ts';
import { placeHook, runHook } from '../run/ops/hook.ts';
import type { ContainerRecord } from './record.ts';
import { hookState } from './state.ts';

/**
 * config.md, Poststop: after the container is gone, and after a create that failed too (runtime.md, Lifecycle 3 to 5);
 * a failing hook is a warning and the rest still run. Before there was a process, no hook has seen the container.
 */
export function runPoststopHooks(record: ContainerRecord): void {
  if (record.init === undefined) return;
  record.hooks.poststop.forEach((hook, index) => {
    try {
      runHook(placeHook(hook, 'poststop', index), hookState(record, 'stopped'));
    } catch (error) {
      logError('warning', error);
    }
  });
}
