import { TsrunError } from '../errors.ts';
import { log } from '../log.ts';
import { listIds } from './root.ts';
import { type PrintedState, printedState } from './state.ts';
import { ContainerDirectory } from './store.ts';

/** The states of all containers, sorted by id; one whose record cannot be read is a warning. */
export function listContainers(root: string): PrintedState[] {
  return listIds(root).flatMap((id) => {
    try {
      const directory = new ContainerDirectory(root, id);
      return [printedState(directory, directory.read())];
    } catch (error) {
      // Deleted since the directory was read, or not a container's.
      if (!(error instanceof TsrunError)) throw error;
      log('warning', `${id}: ${error.asLine}`);
      return [];
    }
  });
}

/** runc's columns. */
export function listTable(states: readonly PrintedState[]): string {
  const rows = [
    ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
    ...states.map(({ id, pid, status, bundle, created, owner }) => [id, String(pid), status, bundle, created, owner]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: string[]) =>
    row
      .map((cell, i) => cell.padEnd((widths[i] ?? 0) + 2))
      .join('')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}
