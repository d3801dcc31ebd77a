/** What the shim knows of its tasks, on disk: an engine that is started anew goes on with it. */
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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

/** A task that was deleted: its exit, until containerd surely has it. */
export interface BuriedTask extends TaskExit {
  readonly pid: number;
}

/** In bytes; less than the keeper's own limit, at which it drops all of them (addon/keeper/main.cc). */
const mostNotes = 32 * 1024;

/** What a shim knows of the tasks of one namespace: a file for each. */
export class Ledger {
  readonly #socket: string;
  readonly #directory: string;

  constructor(socket: string, namespace: string) {
    this.#socket = socket;
    this.#directory = join(`${socket}.tasks`, namespace);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
  }

  /** The namespaces that a shim has had tasks of. */
  static namespaces(socket: string): string[] {
    mkdirSync(`${socket}.tasks`, { recursive: true, mode: 0o700 });
    return readdirSync(`${socket}.tasks`);
  }

  static removeAll(socket: string): void {
    for (const part of ['exits', 'exits.new', 'engine', 'tasks'])
      rmSync(`${socket}.${part}`, { force: true, recursive: true });
  }

  fileOf(id: string): string {
    return join(this.#directory, id);
  }

  /** A file that cannot be read is left out: its container is still there for the command line. */
  readAll(): TaskNote[] {
    return readdirSync(this.#directory).flatMap((name) => {
      if (name.startsWith('.')) return [];
      try {
        return [JSON.parse(readFileSync(this.fileOf(name), 'utf8')) as TaskNote];
      } catch (error) {
        console.error(error);
        return [];
      }
    });
  }

  write(id: string, note: TaskNote): void {
    // Ids of containers do not begin with a dot.
    const next = this.fileOf(`.${id}`);
    writeFileSync(next, JSON.stringify(note), { mode: 0o600 });
    renameSync(next, this.fileOf(id));
  }

  remove(id: string): void {
    rmSync(this.fileOf(id), { force: true });
  }

  /** Keeps what the answer to Delete says, and removes the rest. */
  bury(id: string, task: BuriedTask): void {
    writeFileSync(this.#graveOf(id), JSON.stringify(task), { mode: 0o600 });
    this.remove(id);
  }

  buried(id: string): BuriedTask | undefined {
    const text = readIfThere(this.#graveOf(id));
    return text === undefined ? undefined : (JSON.parse(text) as BuriedTask);
  }

  forget(id: string): void {
    rmSync(this.#graveOf(id), { force: true });
  }

  #graveOf(id: string): string {
    return this.fileOf(`.gone-${id}`);
  }

  /** As the keeper does for the processes that it reaps: pid, start time and wait status. */
  noteExit({ pid, startTime }: Identity, status: number): void {
    const path = `${this.#socket}.exits`;
    appendFileSync(path, `${pid} ${startTime} ${status}\n`, { mode: 0o600 });
    if (statSync(path).size > mostNotes) this.#dropOldNotes(path);
  }

  /** A note is of use until the task's file says the same, which is soon. */
  #dropOldNotes(path: string): void {
    const text = readFileSync(path, 'latin1');
    writeFileSync(`${path}.new`, text.slice(text.indexOf('\n', text.length / 2) + 1), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** How a process has ended that the keeper has reaped, or an earlier engine. */
  exitOf({ pid, startTime }: Identity): ContainerExit | undefined {
    const lines = (readIfThere(`${this.#socket}.exits`) ?? '').split('\n').reverse();
    const line = lines.find((each) => each.startsWith(`${pid} ${startTime} `));
    if (line === undefined) return undefined;
    const status = Number(line.split(' ')[2]);
    const signal = status & 0x7f;
    return signal === 0 ? { code: status >>> 8 } : { signal };
  }
}
