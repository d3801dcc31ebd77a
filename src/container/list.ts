import { asTsrunError, TsrunError } from '../errors.ts';
import { idsBelow } from './root.ts';
import { type PrintedState, printedState } from './state.ts';
import { ContainerDirectory, recordFile } from './store.ts';

/** What a list shows, and what it cannot show. */
export interface Listing<Listed> {
  /** Sorted by id. */
  readonly listed: readonly Listed[];
  /** One for each container that exists but cannot be shown. */
  readonly failures: readonly TsrunError[];
}

/** The states of all containers. */
export function listContainers(root: string): Listing<PrintedState> {
  const { having, others } = idsBelow(root, recordFile);
  const ids = [...having, ...others].sort();
  return collect(ids, (id) => {
    const directory = new ContainerDirectory(root, id);
    const record = directory.readIfThere();
    // Undefined if it was deleted since the directory was read, or if a killed create left it.
    return record && printedState(directory, record);
  });
}

/** The ids of all containers. It reads no record, so a bad one does not matter. */
export function recordedIds(root: string): Listing<string> {
  const { having, others } = idsBelow(root, recordFile);
  const rest = collect(others, (id) => (new ContainerDirectory(root, id).isRecorded() ? id : undefined));
  if (rest.listed.length === 0) return { listed: having, failures: rest.failures };
  return { listed: [...having, ...rest.listed].sort(), failures: rest.failures };
}

function collect<Listed>(ids: readonly string[], look: (id: string) => Listed | undefined): Listing<Listed> {
  const listed: Listed[] = [];
  const failures: TsrunError[] = [];
  for (const id of ids) {
    try {
      const seen = look(id);
      if (seen !== undefined) listed.push(seen);
    } catch (error) {
      const known = asTsrunError(error);
      if (known === undefined) throw error;
      failures.push(known);
    }
  }
  return { listed, failures };
}

/** @throws TsrunError that gives the reason of the first failure, if there are any */
export function demandWhole({ failures: [first, ...more] }: Listing<unknown>): void {
  if (first === undefined) return;
  const others = more.length === 0 ? '' : `, and of ${more.length} others`;
  throw new TsrunError(`not all containers are listed: ${first.message}${others}`, { hint: first.hint });
}

/** The table has runc's columns. */
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
