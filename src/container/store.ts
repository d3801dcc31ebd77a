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

/** Name of the socket that init waits on for start; while it is there, the container has not been started. */
export const execSocket = 'exec.sock';
/** Of each container; one without is what a killed create or delete left. */
export const recordFile = 'state.json';
const configFile = 'config.json';
const remainsLink = '.remains';

/** All that create puts into the directory. */
const ownFiles = [remainsLink, recordFile, `.${recordFile}`, configFile, execSocket];

/** Of a record that is there and cannot be used: torn, or of another version. */
export class UnusableRecord extends TsrunError {
  /** What stands in it, where that is JSON. */
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
   * Takes the id: of two creates exactly one succeeds. What decides is the lock, not that the directory is new: one
   * without a record is what a killed create or delete left, and is taken over.
   *
   * @returns the lock's descriptor, which the caller closes when the container is created or gone again
   */
  reserve(): number {
    const taken = new TsrunError('container with given ID already exists', { code: 'EEXIST' });
    for (;;) {
      const isNew = this.make();
      const lock = this.openMade(isNew);
      if (lock === undefined) continue;
      try {
        if (!addon().lock(lock, false)) throw taken;
        if (!this.isAt(lock)) {
          closeQuietly(lock);
          continue;
        }
        if (this.hasRecord()) throw taken;
        if (!isNew) this.removeOwnFiles();
        return lock;
      } catch (error) {
        // Another create may have taken what this one has made: then it is that one's.
        if (isNew && error !== taken) this.removeIfEmpty();
        closeQuietly(lock);
        throw error;
      }
    }
  }

  /** What reserve has just made is no good to anybody when it cannot be opened; what has something in it stays. */
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
      // In use: another create has taken it.
    }
  }

  /** Whether its state can be asked for; without a record it is what a killed create or delete left. */
  hasRecord(): boolean {
    return this.has(recordFile) || this.readRemains() !== undefined;
  }

  /** Whether it is a container's, however good its record is. */
  isRecorded(): boolean {
    return this.isOurs() && this.hasRecord();
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
      if (errorCode(error) !== 'ENOENT') throw this.unreadable(recordFile, error);
      if (this.readRemains() === undefined) return undefined;
      throw this.corrupt('it no longer exists');
    }
    return this.parse(text);
  }

  /**
   * Through a temporary file and rename(2): a reader sees the old or the new, never a half, and so does whoever looks
   * after a power cut. fsync(2) is nothing on the tmpfs that --root is on by default, and milliseconds on a disk.
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

  /** Writes down, once, what delete needs when the record should be lost. */
  writeRemains(record: ContainerRecord): void {
    const text = remainsText(record);
    if (text === undefined) return;
    try {
      symlinkSync(text, join(this.path, remainsLink));
    } catch (error) {
      // A cgroup's path of thousands of bytes: the record alone has it.
      if (errorCode(error) !== 'ENAMETOOLONG') throw this.unwritable("the container's state", error);
    }
  }

  /**
   * A record for delete in the place of one that cannot be used, undefined when nothing tells what the container has.
   *
   * @param value what stands in the record that this version does not know
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
    const { text, path } = this.configSource();
    try {
      return JSON.parse(text) as Spec;
    } catch (error) {
      throw this.corrupt((error as Error).message, path);
    }
  }

  /** Its text, which has the places of properties. */
  configSource(): { text: string; path: string } {
    const path = join(this.path, configFile);
    try {
      return { text: readFileSync(path, 'utf8'), path };
    } catch (error) {
      throw this.unreadable(configFile, error);
    }
  }

  /** Whether init still waits for start. */
  waitsForStart(): boolean {
    return this.has(execSocket);
  }

  removeExecSocket(): void {
    removeFile(join(this.path, execSocket));
  }

  /** Removes all of it: only for a directory whose record has been read or written, which makes it ours. */
  remove(): void {
    // First: without a record, a link that is left would stand for a container.
    removeFile(join(this.path, remainsLink));
    try {
      if (!this.removeUsual()) rmSync(this.path, { recursive: true, force: true });
    } catch (error) {
      throw cannotRemove(this.path, error, systemHint(error));
    }
  }

  /** Without a look at what is in it: false when that is more than a container has that has been started. */
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
   * Removes a directory without a good record: only what create puts there, as nothing proves that the rest is ours.
   *
   * @throws TsrunError when there is more
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

  /** A descriptor for flock(2): commands that change a container hold the lock while they work. */
  open(): number {
    const fd = this.openIfThere();
    if (fd === undefined) throw this.absent();
    return fd;
  }

  /** runc's words, which callers look for, and where it was looked for: often that is another --root. */
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
        hint: whereToWrite(code) ?? systemHint(error),
        cause: error,
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

  /** What could not be read now may be right: nothing may be removed for it. */
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

/** Only where another directory helps. */
/** Where another directory would help. */
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
