import { constants, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { errorCode, systemHint, TsrunError } from '../../errors.ts';
import { log } from '../../log.ts';
import { isThere, readIfThere } from '../../there.ts';

/** CRIU always writes this file, and writes it last: without it the images are incomplete. */
const inventory = 'inventory.img';
/** runc's file: an array of what descriptors 0 to 2 were; pipes have the names that CRIU knows them by. */
const descriptorsFile = 'descriptors.json';
/** Our own file. */
const notesFile = 'tsrun.json';
/** Our own file: how long each image is. A pre-dump has it, too. */
const sizesFile = 'tsrun-sizes.json';
/** Our own file, empty: there once a restore has taken memory out of the images. */
const droppedFile = 'tsrun-dropped';
/** CRIU's symbolic link to the images that these build on. */
const parentLink = 'parent';

/** A mount point directly below the root; the root filesystem of another machine may lack it. */
export interface MountPoint {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** A mount that restore brings along. CRIU calls it by its mount point. */
export interface ExternalMount {
  readonly point: string;
  /** The destination or masked path in config.json that it comes from. */
  readonly destination: string;
  /** Its path below that mount's source; empty for the source itself. */
  readonly below: string;
  /** Whether it is the empty directory over a masked one; absent: no. */
  readonly isMask?: boolean;
}

/** What restore needs to know but CRIU's images do not hold. */
export interface ImageNotes {
  readonly version: 1;
  readonly mountPoints: readonly MountPoint[];
  readonly externals: readonly ExternalMount[];
}

/** Opens the directory for the images; makes it if missing, as runc does. */
export function makeImageDirectory(path: string, option: string): number {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw new TsrunError(`${option} ${path}: cannot be used: ${errorCode(error)}`, { hint: systemHint(error) });
  }
}

/** @throws TsrunError where there are no images, or only those of a pre-dump */
export function demandImages(path: string): void {
  if (!isThere(path)) throw new TsrunError(`--image-path ${path}: there is no such directory`);
  if (isThere(join(path, inventory)) && isThere(join(path, 'pstree.img'))) return;
  const isPreDump = isThere(join(path, inventory));
  throw new TsrunError(`--image-path ${path}: there is no ${isPreDump ? 'complete ' : ''}checkpoint in it`, {
    hint: isPreDump
      ? 'it is a --pre-dump: restore from the checkpoint that has it as its --parent-path'
      : 'give the directory that tsrun checkpoint --image-path has written',
  });
}

/** Applies runc's rule for the parent: CRIU looks it up relative to the image directory. */
export function demandParent(imagePath: string, parent: string | undefined): void {
  if (parent === undefined) return;
  if (isAbsolute(parent)) {
    throw new TsrunError('--parent-path: must be relative, and counts from --image-path', { hint: 'such as ../pre1' });
  }
  if (isThere(join(imagePath, parent, inventory))) return;
  throw new TsrunError(`--parent-path ${parent}: there are no images in ${join(imagePath, parent)}`, {
    hint: 'it counts from --image-path, and is what an earlier checkpoint --pre-dump has written',
  });
}

export function writeNotes(path: string, notes: ImageNotes, descriptors: readonly string[]): void {
  try {
    writeFileSync(join(path, notesFile), JSON.stringify(notes), { mode: 0o600 });
    writeFileSync(join(path, descriptorsFile), JSON.stringify(descriptors), { mode: 0o600 });
  } catch (error) {
    throw new TsrunError(`cannot write to --image-path ${path}: ${errorCode(error)}`, { hint: systemHint(error) });
  }
}

/**
 * Notes how long each image is, after CRIU has written them. If that fails, the checkpoint does not: the images cannot
 * be checked later, but the container is in them.
 */
export function noteSizes(path: string): void {
  try {
    const images = readdirSync(path).filter((name) => name.endsWith('.img'));
    const sizes = Object.fromEntries(images.map((name) => [name, statSync(join(path, name)).size]));
    writeFileSync(join(path, sizesFile), JSON.stringify(sizes), { mode: 0o600 });
    rmSync(join(path, droppedFile), { recursive: true, force: true });
  } catch (error) {
    log('warning', `--image-path ${path}: cannot note the sizes of the images: ${errorCode(error)}`);
  }
}

/**
 * Checks that the images, and those of pre-dumps that they build on, are as long as they were. If pages have been cut
 * short, CRIU (4.2.1) never ends, and fills the disk with its log.
 *
 * @throws TsrunError that names the first image with another length, or that has been emptied
 */
export function demandWholeImages(path: string): void {
  for (const at of withParents(path)) {
    if (isThere(join(at, droppedFile))) {
      throw new TsrunError(`--image-path ${path}: a restore with --auto-dedup has taken the memory out of ${at}`, {
        hint: 'images can be restored again if each restore is without --auto-dedup',
      });
    }
    const text = readIfThere(join(at, sizesFile));
    // Nothing is known about images that another runtime has made.
    if (text === undefined) continue;
    for (const [name, size] of Object.entries(parse(text, at, sizesFile) as Record<string, number>)) {
      demandSize(at, name, size);
    }
  }
}

/** Notes that CRIU is about to take the pages out of the images, as it does at a restore with auto_dedup. */
export function noteDropped(path: string): void {
  for (const at of withParents(path)) {
    try {
      writeFileSync(join(at, droppedFile), '', { mode: 0o600 });
    } catch (error) {
      throw new TsrunError(`--auto-dedup: cannot write to ${at}: ${errorCode(error)}`, { hint: systemHint(error) });
    }
  }
}

/** The directory and those of the pre-dumps that it builds on. */
function withParents(path: string): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (let at = path; isThere(at); at = join(at, parentLink)) {
    const { dev, ino } = statSync(at);
    if (seen.has(`${dev}:${ino}`)) break;
    seen.add(`${dev}:${ino}`);
    found.push(at);
  }
  return found;
}

function demandSize(path: string, name: string, size: number): void {
  const now = statSync(join(path, name), { throwIfNoEntry: false })?.size;
  if (now === size) return;
  const what = now === undefined ? 'is missing' : `has ${now} bytes, and had ${size} when it was written`;
  throw new TsrunError(`--image-path ${path}: ${name} ${what}`, {
    hint: 'the images have been changed or copied in part: copy the whole directory again',
  });
}

/** Undefined for images made by another runtime. */
export function readNotes(path: string): ImageNotes | undefined {
  const text = readIfThere(join(path, notesFile));
  return text === undefined ? undefined : (parse(text, path, notesFile) as ImageNotes);
}

/** What descriptors 0 to 2 were. */
export function readDescriptors(path: string): string[] {
  const text = readIfThere(join(path, descriptorsFile));
  const list = text === undefined ? [] : parse(text, path, descriptorsFile);
  return Array.isArray(list) ? list.map(String) : [];
}

function parse(text: string, path: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TsrunError(`--image-path ${path}: ${name} is damaged: ${(error as Error).message}`);
  }
}

/** The path of a process's cgroup as its cgroup namespace shows it. */
export function cgroupPathOf(pid: number): string | undefined {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
}
