import { withPlace } from '../config/locate.ts';
import type { SpecSource } from '../config/validate/places.ts';
import { logError } from '../log.ts';
import { placeHook, runHook } from '../run/ops/hook.ts';
import type { ContainerRecord } from './record.ts';
import { hookState } from './state.ts';

/**
 * config.md, Poststop: runs the hooks after the container is gone, and also after a failed create (runtime.md,
 * Lifecycle 3 to 5). A failing hook is a warning, and the rest still run. If there was no process yet, no hook has seen
 * the container, and none runs.
 *
 * @param source the config, for the places in messages; undefined if it is not at hand
 */
export function runPoststopHooks(record: ContainerRecord, source: () => SpecSource | undefined): void {
  if (record.init === undefined) return;
  record.hooks.poststop.forEach((hook, index) => {
    try {
      runHook(placeHook(hook, 'poststop', index), hookState(record, 'stopped'));
    } catch (error) {
      const config = source();
      logError('warning', config === undefined ? error : withPlace(error, config));
    }
  });
}
