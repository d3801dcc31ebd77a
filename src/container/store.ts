import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { TsrunError } from '../errors.ts';
import { checkId, isId } from './id.ts';
import type { ContainerRecord } from './record.ts';

/** --root when none is given: runc's rule with our name. */
export function defaultRoot(uid = process.geteuid?.() ?? 0): string {
  const runtimeDir = process.env.XDG_RUNTIME_DIR;
  if (uid === 0 || runtimeDir === undefined || runtimeDir === '') return '/run/tsrun';
  return join(runtimeDir, 'tsrun');
}

/** Name of the socket that init waits on for start; while it is there, the container has not been started. */
export const execSocket = 'exec.sock';
const recordFile = 'state.json';
const configFile = 'config.json';

/** Compiled seccomp filters of all containers; ~ stands in no id, so that this can be no container's directory. */
export function filterCacheDirectory(root: string): string {
  return join(root, '.seccomp~');
}

/** The directory <root>/<id> of one container. */
export class ContainerDirectory {
  readonly path: string;
  readonly id: string;

  constructor(root: string, id: string) {
    checkId(id);
    this.id = id;
    this.path = join(root, id);
  }

  /** Takes the id: of two creates exactly one succeeds. */
  reserve(root: string): void {
    try {
      mkdirSync(root, { recursive: true, mode: 0o711 });
      mkdirSync(this.path, { mode: 0o700 });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST' && existsSync(this.path)) throw new TsrunError('container with given ID already exists');
      throw new TsrunError(`cannot make the state directory ${this.path}: ${code}`, {
        hint: 'choose a directory you may write to with --root',
      });
    }
  }

  exists(): boolean {
    return existsSync(this.path);
  }

  /** @throws TsrunError `container does not exist`, or what is wrong with its record */
  read(): ContainerRecord {
    let text: string;
    try {
      text = readFileSync(join(this.path, recordFile), 'utf8');
    } catch (error) {
      if (!this.exists()) throw new TsrunError('container does not exist');
      throw this.corrupt((error as NodeJS.ErrnoException).code ?? 'unreadable');
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
      throw new TsrunError(`cannot write the state of the container: ${(error as NodeJS.ErrnoException).code}`, {
        hint: `is the filesystem of ${this.path} full or read-only?`,
      });
    }
  }

  /** The config as it was at create; later changes of the bundle have no effect (runtime.md, Create). */
  writeConfig(text: string): void {
    try {
      writeFileSync(join(this.path, configFile), text, { mode: 0o600 });
    } catch (error) {
      throw new TsrunError(`cannot write the container's config: ${(error as NodeJS.ErrnoException).code}`, {
        hint: `is the filesystem of ${this.path} full or read-only?`,
      });
    }
  }

  readConfig(): string {
    return readFileSync(join(this.path, configFile), 'utf8');
  }

  /** Whether init still waits for start. */
  waitsForStart(): boolean {
    return existsSync(join(this.path, execSocket));
  }

  removeExecSocket(): void {
    try {
      unlinkSync(join(this.path, execSocket));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** A descriptor for flock(2), so that two commands do not change one container at once. */
  open(): number {
    try {
      return openSync(this.path, 'r');
    } catch {
      throw new TsrunError('container does not exist');
    }
  }

  private parse(text: string): ContainerRecord {
    try {
      const record = JSON.parse(text) as ContainerRecord;
      if (record.version !== 1 || record.id !== this.id) throw new Error('not a record of this version and id');
      return record;
    } catch (error) {
      throw this.corrupt((error as Error).message);
    }
  }

  private corrupt(why: string): TsrunError {
    return new TsrunError(`the state of container ${this.id} cannot be read: ${why}`, {
      hint: `look at ${join(this.path, recordFile)}; delete --force removes the container's directory`,
    });
  }
}

/** Ids of all containers below root, sorted; an absent root holds none. */
export function listIds(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .filter(isId)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new TsrunError(`cannot read ${root}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
