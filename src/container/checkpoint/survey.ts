import { TsrunError } from '../../errors.ts';
import type { ContainerRecord } from '../record.ts';
import { statusOf } from '../state.ts';
import type { ContainerDirectory } from '../store.ts';

/** The record of a container with an init process. */
export type RunningRecord = ContainerRecord & { init: { pid: number } };

/** @throws TsrunError for a container that has no processes to save */
export function surveyRunning(directory: ContainerDirectory): RunningRecord {
  const record = directory.read();
  const status = statusOf(directory, record);
  const { init } = record;
  if (init !== undefined && (status === 'running' || status === 'paused')) return { ...record, init };
  throw new TsrunError(`Container cannot be checkpointed in ${status} state`, {
    hint: status === 'created' ? 'start it first' : undefined,
  });
}
