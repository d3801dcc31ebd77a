import { TsrunError } from '../errors.ts';
import { waitForExit } from './exit.ts';
import { wasOomKilled } from './oom.ts';
import type { ContainerExit } from './record.ts';
import type { ContainerDirectory } from './store.ts';

/**
 * Blocks until the container's init process has ended, whoever its parent is.
 *
 * @throws TsrunError when it has, but nothing can tell how
 */
export function waitForContainer(directory: ContainerDirectory): ContainerExit {
  const record = directory.read();
  // Written by the `run --keep` that reaped init.
  if (record.exit !== undefined) return record.exit;
  if (record.init === undefined) throw new TsrunError('container not running', { code: 'EWRONGSTATE' });
  const status = waitForExit(record.init);
  const oomKilled = wasOomKilled(record);
  if (status !== undefined) return { ...status, ...(oomKilled !== undefined && { oomKilled }) };
  const memory = oomKilled === true ? '; it ran out of memory' : '';
  throw new TsrunError(`the container has ended, but its exit status is unknown${memory}`, {
    hint: 'wait before the container ends, or use Linux 6.15 or later',
  });
}
