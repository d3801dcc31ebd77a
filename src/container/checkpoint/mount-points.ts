import { constants, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { closeQuietly } from '../../close.ts';
import { errorCode, systemHint, TsrunError } from '../../errors.ts';
import type { MountPoint } from './images.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_CREAT, O_EXCL, O_WRONLY, O_NONBLOCK } = constants;

/**
 * Makes the mount points that CRIU needs and the root filesystem lacks: it may be another one than the container had.
 * Symbolic links are not followed. Paths of mount points have none, so a link there is not part of one.
 */
export function makeMountPoints(rootfs: string, points: readonly MountPoint[]): void {
  for (const { path, isDirectory } of points) {
    try {
      makeMountPoint(rootfs, path.split('/').filter(Boolean), isDirectory);
    } catch (error) {
      throw new TsrunError(`cannot make the mount point ${path} in ${rootfs}: ${errorCode(error)}`, {
        hint: systemHint(error) ?? 'is it the root filesystem that the container had?',
        cause: error,
      });
    }
  }
}

function makeMountPoint(rootfs: string, parts: readonly string[], isDirectory: boolean): void {
  let at = openSync(rootfs, O_RDONLY | O_DIRECTORY);
  try {
    for (const [index, part] of parts.entries()) {
      const here = `/proc/self/fd/${at}`;
      const isLast = index === parts.length - 1;
      if (isLast && !isDirectory) return makeFile(join(here, part));
      makeDirectory(join(here, part));
      const next = openSync(join(here, part), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      closeQuietly(at);
      at = next;
    }
  } finally {
    closeQuietly(at);
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

function makeFile(path: string): void {
  try {
    closeQuietly(openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NONBLOCK, 0o644));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
