import { matchingIds } from './root.ts';
import { statusOf } from './state.ts';
import { ContainerDirectory } from './store.ts';

/** Ids of the containers that match a regular expression and can be signalled. */
export function runningIds(root: string, pattern: string): string[] {
  return matchingIds(root, pattern).filter((id) => {
    const directory = new ContainerDirectory(root, id);
    const record = directory.readIfThere();
    return record !== undefined && !['stopped', 'creating'].includes(statusOf(directory, record));
  });
}
