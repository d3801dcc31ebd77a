import { TsrunError } from '../errors.ts';
import { waitForExit } from './exit.ts';
import { wasOomKilled } from './oom.ts';
import type { ContainerExit } from './record.ts';
import type { ContainerDirectory } from './store.ts';

/**
 * Blocks until the container's init process has ended, whoever its parent is.
 *
 * @throws TsrunError when it has, but nobody can tell how
 */
export function waitForContainer(directory: ContainerDirectory): ContainerExit {
  const record = directory.read();
  // Written by a `run --keep` that reaped it.
  if (record.exit !== undefined) return record.exit;
  if (record.init === undefined) throw new TsrunError('container not running', { code: 'EWRONGSTATE' });
  const status = waitForExit(record.init);
  const oomKilled = wasOomKilled(record);
  if (status !== undefined) return { ...status, ...(oomKilled !== undefined && { oomKilled }) };
  const memory = oomKilled === true ? '; it ran out of memory' : '';
  throw new TsrunError(`the container has ended, but how cannot be told${memory}`, {
    hint: 'the kernel keeps the status for those who wait before the end, and from Linux 6.15 on',
  });
}
