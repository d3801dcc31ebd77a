import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { addon } from '../addon.ts';
import { closeQuietly } from '../close.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import type { Spec } from '../generated/spec.ts';
import { log } from '../log.ts';
import { isAbsent, isThere } from '../there.ts';
import { writeWhole } from '../write.ts';
import { checkId } from './id.ts';
import type { ContainerRecord } from './record.ts';
import { asRemains, parseRemains, type Remains, recoveredRecord, remainsText } from './remains.ts';
import { makeDirectories } from './root.ts';

/** Name of the socket on which init waits for start. While it exists, the container has not been started. */
export const execSocket = 'exec.sock';
/** Its name while a start has it that may be killed before its word (`waitsAgain` of the record). */
export const takenSocket = 'taken.sock';
/** Every container has this file; a directory without it was left by a killed create or delete. */
export const recordFile = 'state.json';
const configFile = 'config.json';
const remainsLink = '.remains';

/** All files that create puts into the directory. */
const ownFiles = [remainsLink, recordFile, `.${recordFile}`, configFile, execSocket, takenSocket];

/** The record exists but cannot be used: it is incomplete, or from another version. */
export class UnusableRecord extends TsrunError {
  /** The parsed record, if it is JSON. */
  readonly value: unknown;

  constructor(message: string, hint: string, value: unknown) {
    super(message, { hint });
    this.value = value;
  }
}

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
   * Takes the id: of two creates exactly one succeeds. The lock decides, not the making of the directory, because one
   * without a record was left by a killed create or delete, and is taken over.
   *
   * @returns the lock's descriptor, which the caller closes when the container is created or gone again
   */
  reserve(): number {
    for (;;) {
      const isNew = this.make();
      const lock = this.openMade(isNew);
      if (lock === undefined) continue;
      try {
        if (!addon().lock(lock, false)) throw taken();
        if (!this.isAt(lock)) {
          closeQuietly(lock);
          continue;
        }
        if (this.hasRecord()) throw taken();
        if (!isNew) this.removeOwnFiles();
        return lock;
      } catch (error) {
        // If another create has taken the directory that this one made, it now belongs to that create.
        if (isNew && errorCode(error) !== 'EEXIST') this.removeIfEmpty();
        closeQuietly(lock);
        throw error;
      }
    }
  }

  /**
   * Opens the directory. If this fails, a directory that reserve has just made is removed, unless something is in it.
   */
  private openMade(isNew: boolean): number | undefined {
    try {
      return this.openIfThere();
    } catch (error) {
      if (isNew) this.removeIfEmpty();
      throw error;
    }
  }

  private removeIfEmpty(): void {
    try {
      rmdirSync(this.path);
    } catch {
      // Another create has taken it and uses it.
    }
  }

  /**
   * Whether there is a record to read the state from; a directory without one was left by a killed create or delete.
   */
  hasRecord(): boolean {
    return this.has(recordFile) || this.readRemains() !== undefined;
  }

  /** Whether it is a container's directory, even if its record is bad. */
  isRecorded(): boolean {
    return this.isOurs() && this.hasRecord();
  }

  /** @throws TsrunError `container does not exist`, or what is wrong with its record */
  read(): ContainerRecord {
    const record = this.readIfThere();
    if (record === undefined) throw this.absent();
    return record;
  }

  /** Undefined if create was killed before it wrote the record, or delete after it removed it. */
  readIfThere(): ContainerRecord | undefined {
    if (!this.isOurs()) return undefined;
    let text: string;
    try {
      text = readFileSync(join(this.path, recordFile), 'utf8');
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw this.unreadable(recordFile, error);
      if (this.readRemains() === undefined) return undefined;
      throw this.corrupt('it no longer exists');
    }
    return this.parse(text);
  }

  /**
   * Writes a temporary file and renames it (rename(2)), so that a reader sees the old record or the new one, never a
   * part. This holds after a power cut, too: fsync(2) does nothing on the tmpfs that --root is on by default, and takes
   * milliseconds on a disk.
   */
  write(record: ContainerRecord): void {
    const temporary = join(this.path, `.${recordFile}`);
    try {
      const fd = openSync(temporary, 'w', 0o600);
      try {
        writeWhole(fd, JSON.stringify(record));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(temporary, join(this.path, recordFile));
    } catch (error) {
      throw this.unwritable("the container's state", error);
    }
  }

  /** Writes once what delete needs if the record is lost. */
  writeRemains(record: ContainerRecord): void {
    const text = remainsText(record);
    if (text === undefined) return;
    try {
      symlinkSync(text, join(this.path, remainsLink));
    } catch (error) {
      // The cgroup's path is thousands of bytes long; only the record has it then.
      if (errorCode(error) !== 'ENAMETOOLONG') throw this.unwritable("the container's state", error);
    }
  }

  /**
   * Makes a record for delete to use instead of an unusable one; undefined when nothing tells what the container has.
   *
   * @param value the contents of a record that this version does not know
   */
  recover(value?: unknown): ContainerRecord | undefined {
    const { version, id } = (value ?? {}) as { version?: unknown; id?: unknown };
    const isLater = typeof version === 'number' && version > 1 && id === this.id;
    const remains = (isLater ? asRemains(value) : undefined) ?? this.readRemains();
    return remains === undefined ? undefined : recoveredRecord(this.id, remains, this.configIfReadable());
  }

  private readRemains(): Remains | undefined {
    let text: string;
    try {
      text = readlinkSync(join(this.path, remainsLink));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(errorCode(error))) return undefined;
      throw this.unreadable(remainsLink, error);
    }
    return parseRemains(text);
  }

  private configIfReadable(): Spec | undefined {
    try {
      return this.readConfig();
    } catch (error) {
      log('warning', `its poststop hooks, if it has any, do not run: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** Keeps the config as it was at create; later changes of the bundle have no effect (runtime.md, Create). */
  writeConfig(text: string): void {
    try {
      writeFileSync(join(this.path, configFile), text, { mode: 0o600 });
    } catch (error) {
      throw this.unwritable("the container's config", error);
    }
  }

  /** The config as create validated it; nothing else may have changed it since. */
  readConfig(): Spec {
    const { text, path } = this.configSource();
    try {
      return JSON.parse(text) as Spec;
    } catch (error) {
      throw this.corrupt((error as Error).message, path);
    }
  }

  /** The config's text, for the places of properties. */
  configSource(): { text: string; path: string } {
    const path = join(this.path, configFile);
    try {
      return { text: readFileSync(path, 'utf8'), path };
    } catch (error) {
      throw this.unreadable(configFile, error);
    }
  }

  /** The same; undefined if it cannot be read, for messages that can do without a place. */
  configSourceIfThere(): { text: string; path: string } | undefined {
    try {
      return this.configSource();
    } catch {
      return undefined;
    }
  }

  /** Whether init still waits for start. */
  waitsForStart(): boolean {
    return this.has(execSocket);
  }

  removeExecSocket(): void {
    removeFile(join(this.path, execSocket));
  }

  /** Takes it away from other starts, so that it can be given back; afterwards it is to be removed. */
  takeExecSocket(): void {
    renameSync(join(this.path, execSocket), join(this.path, takenSocket));
  }

  giveExecSocketBack(): void {
    renameSync(join(this.path, takenSocket), join(this.path, execSocket));
  }

  removeTakenSocket(): void {
    removeFile(join(this.path, takenSocket));
  }

  /** Removes the whole directory. Only for one whose record has been read or written, which proves that it is ours. */
  remove(): void {
    // Removed first: without a record, a leftover link would stand for a container.
    removeFile(join(this.path, remainsLink));
    try {
      if (!this.removeUsual()) rmSync(this.path, { recursive: true, force: true });
    } catch (error) {
      throw cannotRemove(this.path, error, systemHint(error));
    }
  }

  /** Removes the files of a started container without listing the directory; false when there are more. */
  private removeUsual(): boolean {
    try {
      unlinkSync(join(this.path, recordFile));
      unlinkSync(join(this.path, configFile));
      rmdirSync(this.path);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Removes a directory without a good record, but only the files that create puts there: nothing proves that others
   * are ours.
   *
   * @throws TsrunError when there are others
   */
  removeUnrecorded(): void {
    this.removeOwnFiles();
    try {
      rmdirSync(this.path);
    } catch (error) {
      const isFull = ['ENOTEMPTY', 'EEXIST'].includes(errorCode(error));
      throw cannotRemove(this.path, error, isFull ? 'what it holds now is not tsrun’s' : systemHint(error));
    }
  }

  /** Opens the directory for flock(2): commands hold the lock while they change a container. */
  open(): number {
    const fd = this.openIfThere();
    if (fd === undefined) throw this.absent();
    return fd;
  }

  /** Has runc's words, which callers look for, and the place that was searched, as often another --root is meant. */
  absent(): TsrunError {
    return new TsrunError(`container does not exist: there is no ${this.id} in ${this.root}`, { code: 'ENOTFOUND' });
  }

  openIfThere(): number | undefined {
    if (!this.isOurs()) return undefined;
    try {
      return openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new TsrunError(`cannot open the state directory ${this.path}: ${errorCode(error)}`, {
        hint: systemHint(error) ?? 'see --root',
        cause: error,
      });
    }
  }

  /** Whether this descriptor is still that of the directory, which may have been removed and made anew meanwhile. */
  isAt(fd: number): boolean {
    const now = this.status();
    const held = fstatSync(fd);
    return now !== undefined && now.ino === held.ino && now.dev === held.dev;
  }

  /** @returns whether the directory is new */
  private make(): boolean {
    try {
      makeDirectories(this.root);
      mkdirSync(this.path, { mode: 0o700 });
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') return false;
      throw new TsrunError(`cannot make the state directory ${this.path}: ${code}`, {
        hint: whereToWrite(code) ?? systemHint(error),
        cause: error,
      });
    }
  }

  /**
   * False when it does not exist. A link, or another user's directory, is refused: its maker could have root's delete
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
      if (isAbsent(error)) return undefined;
      throw this.unseen(error);
    }
  }

  /** Whether a file of this name is in the directory. */
  private has(name: string): boolean {
    try {
      return isThere(join(this.path, name));
    } catch (error) {
      throw this.unseen(error);
    }
  }

  private unseen(error: unknown): TsrunError {
    return new TsrunError(`cannot look for the container in ${this.root}: ${errorCode(error)}`, {
      hint: systemHint(error) ?? 'see --root',
      cause: error,
    });
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
    const version: unknown = record?.version;
    if (version === 1 && record.id === this.id) return record;
    const isLater = typeof version === 'number' && version > 1;
    throw this.corrupt(isLater ? 'a later version of tsrun made it' : 'not a record of this id', undefined, record);
  }

  private corrupt(why: string, path = join(this.path, recordFile), value?: unknown): UnusableRecord {
    const more =
      path === this.path ? '' : '; delete --force ends and removes what is still known to be the container’s';
    return new UnusableRecord(this.cannotBeRead(why), `look at ${path}${more}`, value);
  }

  /** The file may be right although it cannot be read now, so nothing may be removed because of this. */
  private unreadable(name: string, error: unknown): TsrunError {
    const hint = systemHint(error) ?? `look at ${join(this.path, name)}`;
    return new TsrunError(this.cannotBeRead(`${name}: ${errorCode(error)}`), { hint, cause: error });
  }

  private cannotBeRead(why: string): string {
    return `the state of container ${this.id} cannot be read: ${why}`;
  }

  private unwritable(what: string, error: unknown): TsrunError {
    return new TsrunError(`cannot write ${what}: ${errorCode(error)}`, {
      hint: systemHint(error) ?? `is the filesystem of ${this.path} full or read-only?`,
      cause: error,
    });
  }
}

function taken(): TsrunError {
  return new TsrunError('container with given ID already exists', { code: 'EEXIST' });
}

/** A hint that names another directory, where that would help. */
export function whereToWrite(code: string | undefined): string | undefined {
  const helps = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT'].includes(code ?? '');
  return helps ? 'choose a directory you may write to with --root' : undefined;
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw cannotRemove(path, error, systemHint(error));
  }
}

function cannotRemove(path: string, error: unknown, hint: string | undefined): TsrunError {
  return new TsrunError(`cannot remove ${path}: ${errorCode(error)}`, { hint, cause: error });
}
