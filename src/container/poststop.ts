import { logError } from '../log.ts';
import { placeHook, runHook } from '../run/ops/hook.ts';
import type { ContainerRecord } from './record.ts';
import { hookState } from './state.ts';

/**
 * config.md, Poststop: runs the hooks after the container is gone, and also after a failed create (runtime.md,
 * Lifecycle 3 to 5). A failing hook is a warning, and the rest still run. If there was no process yet, no hook has seen
 * the container, and none runs.
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
