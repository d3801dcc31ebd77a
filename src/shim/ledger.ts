/** What the shim knows of its tasks, on disk: an engine that is started anew goes on with it. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerExit } from '../container/record.ts';
import type { Identity } from '../library/places.ts';
import { readIfThere, unlinkIfThere } from '../there.ts';
import type { CreateOptions } from './create-options.ts';
import type { ExecOptions, TaskExit } from './process.ts';
import { demandNoteFormat, noteFormat } from './versions.ts';

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

/** Ids of containers do not begin with a dot. */
const gravePrefix = '.gone-';

/** What a shim knows of the tasks of one namespace: a file for each. */
export class Ledger {
  readonly #socket: string;
  readonly #directory: string;
  /** Ids. */
  readonly #buried: Set<string>;

  constructor(socket: string, namespace: string) {
    this.#socket = socket;
    this.#directory = join(`${socket}.tasks`, namespace);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const graves = readdirSync(this.#directory).filter((name) => name.startsWith(gravePrefix));
    this.#buried = new Set(graves.map((name) => name.slice(gravePrefix.length)));
  }

  /** The namespaces that a shim has had tasks of. */
  static namespaces(socket: string): string[] {
    mkdirSync(`${socket}.tasks`, { recursive: true, mode: 0o700 });
    return readdirSync(`${socket}.tasks`);
  }

  static removeAll(socket: string): void {
    for (const part of ['exits', 'engine', 'tasks']) rmSync(`${socket}.${part}`, { force: true, recursive: true });
  }

  fileOf(id: string): string {
    return join(this.#directory, id);
  }

  /** A file that cannot be read is left out: its container is still there for the command line. */
  readAll(): TaskNote[] {
    return readdirSync(this.#directory).flatMap((name) => {
      if (name.startsWith('.')) return [];
      try {
        const note = JSON.parse(readFileSync(this.fileOf(name), 'utf8')) as TaskNote & { format?: number };
        demandNoteFormat(note, this.fileOf(name));
        return [note];
      } catch (error) {
        console.error(error);
        return [];
      }
    });
  }

  write(id: string, note: TaskNote): void {
    const next = this.fileOf(`.${id}`);
    writeFileSync(next, JSON.stringify({ format: noteFormat, ...note }), { mode: 0o600 });
    renameSync(next, this.fileOf(id));
  }

  remove(id: string): void {
    unlinkIfThere(this.fileOf(id));
  }

  /** Keeps what the answer to Delete says, and removes the rest. */
  bury(id: string, task: BuriedTask): void {
    writeFileSync(this.#graveOf(id), JSON.stringify(task), { mode: 0o600 });
    this.#buried.add(id);
    this.remove(id);
  }

  buried(id: string): BuriedTask | undefined {
    const text = readIfThere(this.#graveOf(id));
    return text === undefined ? undefined : (JSON.parse(text) as BuriedTask);
  }

  forget(id: string): void {
    if (this.#buried.delete(id)) unlinkIfThere(this.#graveOf(id));
  }

  #graveOf(id: string): string {
    return this.fileOf(gravePrefix + id);
  }

  /** Has the identity of a process of Exec's whose start is under way. The id may have any character. */
  startNoteOf(task: string, exec: string): string {
    return this.fileOf(`.start-${task}:${encodeURIComponent(exec)}`);
  }

  /** How a process has ended that the keeper has reaped. */
  exitOf(identity: Identity): ContainerExit | undefined {
    const [status] = this.#exitNoteOf(identity) ?? [];
    if (status === undefined) return undefined;
    const signal = Number(status) & 0x7f;
    return signal === 0 ? { code: Number(status) >>> 8 } : { signal };
  }

  /** Whether the keeper has reaped it as the program that it was to become, and not on the way there. */
  hasEndedAsProgram(identity: Identity): boolean {
    // A keeper of an earlier version does not say: better not started than twice.
    const [status, what = 'program'] = this.#exitNoteOf(identity) ?? [];
    return status !== undefined && what === 'program';
  }

  #exitNoteOf({ pid, startTime }: Identity): string[] | undefined {
    const lines = (readIfThere(`${this.#socket}.exits`) ?? '').split('\n').reverse();
    return lines
      .find((each) => each.startsWith(`${pid} ${startTime} `))
      ?.split(' ')
      .slice(2);
  }
}
