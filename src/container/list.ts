import { asTsrunError, TsrunError } from '../errors.ts';
import type { Status } from '../generated/spec.ts';
import { isId } from './id.ts';
import { idsBelow, lookBelow } from './root.ts';
import { type PrintedState, printedState } from './state.ts';
import { ContainerDirectory, execSocket, recordFile } from './store.ts';

/** What a list shows, and what it cannot show. */
export interface Listing<Listed> {
  /** Sorted by id. */
  readonly listed: readonly Listed[];
  /** One for each container that exists but cannot be shown. */
  readonly failures: readonly TsrunError[];
}

/** The states of all containers. */
export function listContainers(root: string): Listing<PrintedState> {
  const seen = lookBelow(root, recordFile, execSocket);
  const ids: string[] = [];
  // Where a container's texts begin.
  const places: number[] = [];
  for (let at = 0; at < seen.length; at += textsOfEach) {
    const id = seen[at] as string;
    if (!isId(id)) continue;
    ids.push(id);
    places.push(at);
  }
  return collect(ids, (id, index) => {
    const at = places[index] as number;
    if (seen[at + 1] !== '') return stateAt(seen, at);
    const directory = new ContainerDirectory(root, id);
    const record = directory.readIfThere();
    // Undefined if it was deleted since the directory was read, or if a killed create left it.
    return record && printedState(directory, record);
  });
}

const textsOfEach = 9;

/** Takes the texts one by one: for a thousand containers, an iterator would take longer than all the rest. */
function stateAt(seen: readonly string[], at: number): PrintedState {
  const text = (offset: number) => seen[at + offset] as string;
  const annotations = text(7);
  return {
    ociVersion: text(1),
    id: text(0),
    pid: Number(text(3)),
    status: text(2) as Status,
    bundle: text(4),
    rootfs: text(5),
    created: text(6),
    annotations: annotations === '{}' ? {} : JSON.parse(annotations),
    owner: text(8),
  };
}

/** The ids of all containers. It reads no record, so a bad one does not matter. */
export function recordedIds(root: string): Listing<string> {
  const { having, others } = idsBelow(root, recordFile);
  const rest = collect(others, (id) => (new ContainerDirectory(root, id).isRecorded() ? id : undefined));
  if (rest.listed.length === 0) return { listed: having, failures: rest.failures };
  return { listed: [...having, ...rest.listed].sort(), failures: rest.failures };
}

function collect<Listed>(
  ids: readonly string[],
  look: (id: string, index: number) => Listed | undefined,
): Listing<Listed> {
  const listed: Listed[] = [];
  const failures: TsrunError[] = [];
  for (let index = 0; index < ids.length; index++) {
    try {
      const seen = look(ids[index] as string, index);
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
  const cells = ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'];
  for (let i = 0; i < states.length; i++) {
    const { id, pid, status, bundle, created, owner } = states[i] as PrintedState;
    cells.push(id, String(pid), status, bundle, created, owner);
  }
  const widths = [0, 0, 0, 0, 0];
  const columns = widths.length + 1;
  for (let i = 0; i < cells.length; i++) {
    const length = (cells[i] as string).length + 2;
    if (length > (widths[i % columns] ?? length)) widths[i % columns] = length;
  }
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as string;
    const width = widths[i % columns];
    cells[i] = width === undefined ? `${cell}\n` : cell.padEnd(width);
  }
  return cells.join('');
}
