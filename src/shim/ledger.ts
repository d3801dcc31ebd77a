/** What the shim knows of its tasks, on disk: an engine that is started anew goes on with it. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerExit } from '../container/record.ts';
import type { Identity } from '../library/places.ts';
import { readIfThere } from '../there.ts';
import type { CreateOptions } from './create-options.ts';
import type { ExecOptions, TaskExit } from './process.ts';

interface ProcessNote {
  /** Absent before the start of a process of Exec's. */
  readonly identity?: Identity | undefined;
  readonly exit?: TaskExit | undefined;
  /** Whether containerd has got the event of its exit. */
  readonly isTold: boolean;
}

export interface ExecNote extends ProcessNote {
  readonly options: ExecOptions;
}

export interface TaskNote extends ProcessNote {
  readonly options: CreateOptions;
  readonly execs: readonly ExecNote[];
}

/** The directory with a file for each task of a server. */
export function ledgerOf(socket: string): string {
  return `${socket}.tasks`;
}

export class Ledger {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
    mkdirSync(ledgerOf(socket), { recursive: true, mode: 0o700 });
  }

  /** A file that cannot be read is left out: its container is still there for the command line. */
  readAll(): TaskNote[] {
    return readdirSync(ledgerOf(this.#socket)).flatMap((name) => {
      if (name.startsWith('.')) return [];
      try {
        return [JSON.parse(readFileSync(join(ledgerOf(this.#socket), name), 'utf8')) as TaskNote];
      } catch (error) {
        console.error(error);
        return [];
      }
    });
  }

  write(id: string, note: TaskNote): void {
    // Ids of containers do not begin with a dot.
    const next = join(ledgerOf(this.#socket), `.${id}`);
    writeFileSync(next, JSON.stringify(note), { mode: 0o600 });
    renameSync(next, join(ledgerOf(this.#socket), id));
  }

  remove(id: string): void {
    rmSync(join(ledgerOf(this.#socket), id), { force: true });
  }

  /** How a process has ended that the keeper has reaped; it notes pid, start time and wait status. */
  exitOf({ pid, startTime }: Identity): ContainerExit | undefined {
    const lines = (readIfThere(`${this.#socket}.exits`) ?? '').split('\n').reverse();
    const line = lines.find((each) => each.startsWith(`${pid} ${startTime} `));
    if (line === undefined) return undefined;
    const status = Number(line.split(' ')[2]);
    const signal = status & 0x7f;
    return signal === 0 ? { code: status >>> 8 } : { signal };
  }

  removeAll(): void {
    for (const part of ['exits', 'engine', 'tasks'])
      rmSync(`${this.#socket}.${part}`, { force: true, recursive: true });
  }
}
