import { asTsrunError, TsrunError } from '../errors.ts';
import { listIds } from './root.ts';
import { type PrintedState, printedState } from './state.ts';
import { ContainerDirectory } from './store.ts';

/** What is to be listed, and what cannot be. */
export interface Listing {
  readonly states: readonly PrintedState[];
  /** One for each container that is there and cannot be told of. */
  readonly failures: readonly TsrunError[];
}

/** The states of all containers, sorted by id. */
export function listContainers(root: string): Listing {
  const states: PrintedState[] = [];
  const failures: TsrunError[] = [];
  for (const id of listIds(root)) {
    try {
      const directory = new ContainerDirectory(root, id);
      const record = directory.readIfThere();
      // Deleted since the directory was read, or what a killed create has left.
      if (record !== undefined) states.push(printedState(directory, record));
    } catch (error) {
      const known = asTsrunError(error);
      if (known === undefined) throw error;
      failures.push(known);
    }
  }
  return { states, failures };
}

/** @throws TsrunError that says of the first why, when there are any */
export function demandWhole({ failures: [first, ...more] }: Listing): void {
  if (first === undefined) return;
  const others = more.length === 0 ? '' : `, and of ${more.length} others`;
  throw new TsrunError(`not all containers are listed: ${first.message}${others}`, { hint: first.hint });
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
