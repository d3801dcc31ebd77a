import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { addon } from '../addon.ts';
import { errorCode, resourceHint, rethrowExhausted, TsrunError } from '../errors.ts';
import type { Spec } from '../generated/spec.ts';
import { checkId } from './id.ts';
import type { ContainerRecord } from './record.ts';
import { makeDirectories } from './root.ts';

/** Name of the socket that init waits on for start; while it is there, the container has not been started. */
export const execSocket = 'exec.sock';
const recordFile = 'state.json';
const configFile = 'config.json';

/** All that create puts into the directory. */
const ownFiles = [recordFile, `.${recordFile}`, configFile, execSocket];

/** The directory <root>/<id> of one container. */
export class ContainerDirectory {
  readonly path: string;
  readonly id: string;
  private readonly root: string;

  constructor(root: string, id: string) {
    checkId(id);
    this.id = id;
    this.root = root;
    this.path = join(root, id);
  }

  /**
   * Takes the id: of two creates exactly one succeeds. What decides is the lock, not that the directory is new: one
   * without a record is what a killed create or delete left, and is taken over.
   *
   * @returns the lock's descriptor, which the caller closes when the container is created or gone again
   */
  reserve(): number {
    for (;;) {
      const isNew = this.make();
      const lock = this.openOrRemove();
      if (lock === undefined) continue;
      try {
        if (!addon().lock(lock, false)) throw this.taken();
        if (!this.isAt(lock)) {
          closeSync(lock);
          continue;
        }
        if (this.hasRecord()) throw this.taken();
        if (!isNew) this.removeOwnFiles();
        return lock;
      } catch (error) {
        closeSync(lock);
        throw error;
      }
    }
  }

  /** What reserve has just made is no good to anybody when it cannot be opened; what has something in it stays. */
  private openOrRemove(): number | undefined {
    try {
      return this.openIfThere();
    } catch (error) {
      if (resourceHint((error as Error).cause) !== undefined) this.removeIfEmpty();
      throw error;
    }
  }

  private removeIfEmpty(): void {
    try {
      rmdirSync(this.path);
    } catch {
      // In use: another create has taken it.
    }
  }

  /** Whether its state can be asked for; without a record it is what a killed create or delete left. */
  hasRecord(): boolean {
    return existsSync(join(this.path, recordFile));
  }

  /** @throws TsrunError `container does not exist`, or what is wrong with its record */
  read(): ContainerRecord {
    const record = this.readIfThere();
    if (record === undefined) throw this.absent();
    return record;
  }

  /** Undefined where create or delete was killed before it had written one or after it had removed it. */
  readIfThere(): ContainerRecord | undefined {
    if (!this.isOurs()) return undefined;
    let text: string;
    try {
      text = readFileSync(join(this.path, recordFile), 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      rethrowExhausted(error);
      throw this.corrupt(code ?? 'unreadable');
    }
    return this.parse(text);
  }

  /** Through a temporary file and rename(2): a reader sees the old or the new, never a half. */
  write(record: ContainerRecord): void {
    const temporary = join(this.path, `.${recordFile}`);
    try {
      writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
      renameSync(temporary, join(this.path, recordFile));
    } catch (error) {
      throw this.unwritable("the container's state", error);
    }
  }

  /** The config as it was at create; later changes of the bundle have no effect (runtime.md, Create). */
  writeConfig(text: string): void {
    try {
      writeFileSync(join(this.path, configFile), text, { mode: 0o600 });
    } catch (error) {
      throw this.unwritable("the container's config", error);
    }
  }

  /** The config as create has validated it; nobody else may have changed it since. */
  readConfig(): Spec {
    const path = join(this.path, configFile);
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as Spec;
    } catch (error) {
      rethrowExhausted(error);
      throw this.corrupt((error as Error).message, path);
    }
  }

  /** Whether init still waits for start. */
  waitsForStart(): boolean {
    return existsSync(join(this.path, execSocket));
  }

  removeExecSocket(): void {
    removeFile(join(this.path, execSocket));
  }

  /** Removes all of it: only for a directory whose record has been read or written, which makes it ours. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /**
   * Removes a directory without a good record: only what create puts there, as nothing proves that the rest is ours.
   *
   * @throws TsrunError when there is more
   */
  removeUnrecorded(): void {
    this.removeOwnFiles();
    try {
      rmdirSync(this.path);
    } catch (error) {
      throw new TsrunError(`cannot remove ${this.path}: ${(error as NodeJS.ErrnoException).code}`, {
        hint: 'what is in it now is not tsrun’s',
      });
    }
  }

  /** A descriptor for flock(2): commands that change a container hold the lock while they work. */
  open(): number {
    const fd = this.openIfThere();
    if (fd === undefined) throw this.absent();
    return fd;
  }

  /** runc's words, which callers look for, and where it was looked for: often that is another --root. */
  absent(): TsrunError {
    return new TsrunError(`container does not exist: there is no ${this.id} in ${this.root}`);
  }

  openIfThere(): number | undefined {
    if (!this.isOurs()) return undefined;
    try {
      return openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new TsrunError(`cannot open the state directory ${this.path}: ${errorCode(error)}`, {
        hint: resourceHint(error) ?? 'see --root',
        cause: error,
      });
    }
  }

  /** Whether this descriptor is still the directory's, which others may have removed and made anew meanwhile. */
  isAt(fd: number): boolean {
    const now = this.status();
    const held = fstatSync(fd);
    return now !== undefined && now.ino === held.ino && now.dev === held.dev;
  }

  /** @returns whether it was not there before */
  private make(): boolean {
    try {
      makeDirectories(this.root);
      mkdirSync(this.path, { mode: 0o700 });
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      throw new TsrunError(`cannot make the state directory ${this.path}: ${code}`, {
        hint: 'choose a directory you may write to with --root',
      });
    }
  }

  /**
   * False when it is not there. A link or another user's directory is refused: whoever made it could have root's delete
   * end any process and remove any cgroup.
   */
  private isOurs(): boolean {
    const status = this.status();
    if (status === undefined) return false;
    if (!status.isDirectory()) throw this.corrupt('it is not a directory', this.path);
    const uid = process.geteuid?.() ?? 0;
    if (status.uid !== uid) {
      throw this.corrupt(`its directory belongs to user ${status.uid}, and this is user ${uid}`, this.path);
    }
    return true;
  }

  private status(): Stats | undefined {
    try {
      return lstatSync(this.path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw new TsrunError(`cannot look for the container in ${this.root}: ${code}`, { hint: 'see --root' });
    }
  }

  private removeOwnFiles(): void {
    for (const name of ownFiles) removeFile(join(this.path, name));
  }

  private parse(text: string): ContainerRecord {
    let record: ContainerRecord;
    try {
      record = JSON.parse(text) as ContainerRecord;
    } catch (error) {
      throw this.corrupt((error as Error).message);
    }
    if (record?.version !== 1 || record.id !== this.id) throw this.corrupt('not a record of this version and id');
    return record;
  }

  private taken(): TsrunError {
    return new TsrunError('container with given ID already exists');
  }

  private corrupt(why: string, path = join(this.path, recordFile)): TsrunError {
    const more = path === this.path ? '' : '; delete --force removes the container’s directory';
    return new TsrunError(`the state of container ${this.id} cannot be read: ${why}`, {
      hint: `look at ${path}${more}`,
    });
  }

  private unwritable(what: string, error: unknown): TsrunError {
    return new TsrunError(`cannot write ${what}: ${errorCode(error)}`, {
      hint: resourceHint(error) ?? `is the filesystem of ${this.path} full or read-only?`,
    });
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new TsrunError(`cannot remove ${path}: ${code}`);
  }
}
