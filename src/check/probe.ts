import { closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { addon } from '../addon.ts';
import { errorCode } from '../errors.ts';
import type { LinuxSeccomp } from '../generated/spec.ts';
import { errnoWords } from '../linux/errno.ts';
import { compileFilter, libseccomp } from '../seccomp/compile.ts';
import type { Libseccomp } from '../seccomp/unknown-calls.ts';

/** What a check may ask of the host's files; tests give their own answers. */
export interface Probe {
  /** What is at a path of the host; follows symbolic links. */
  kindOf(path: string): PathKind;
  /** Whether there is a symbolic link at the path; it may lead nowhere. */
  isLink(path: string): boolean;
  /**
   * Compiles a seccomp profile and returns the names that libseccomp does not know. Throws a TsrunError if it cannot be
   * compiled.
   */
  compileSeccomp(profile: LinuxSeccomp): readonly string[];
  readonly libseccomp: Libseccomp;
  /**
   * Asks whether a filesystem accepts its options (fsopen(2), fsconfig(2)); makes nothing.
   *
   * @returns for each option the kernel's objection, or undefined; empty if the kernel may not be asked
   */
  refusedOptions(type: string, options: readonly string[]): readonly (string | undefined)[];
  /** The first bytes of a file; undefined if it cannot be read. */
  head(path: string, size: number): Uint8Array | undefined;
  /** Names in a directory; empty if it cannot be read. */
  names(path: string): readonly string[];
  /** The file's text; undefined if it cannot be read. */
  text(path: string): string | undefined;
}

export type PathKind = 'file' | 'program' | 'directory' | 'other' | 'missing' | 'unreachable';

const executeBits = 0o111;

export const hostProbe: Probe = {
  isLink(path) {
    try {
      return lstatSync(path).isSymbolicLink();
    } catch {
      return false;
    }
  },

  kindOf(path) {
    try {
      const status = statSync(path);
      if (status.isDirectory()) return 'directory';
      if (!status.isFile()) return 'other';
      return (status.mode & executeBits) === 0 ? 'file' : 'program';
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreachable';
    }
  },
  compileSeccomp(profile) {
    return compileFilter(profile).unknown;
  },
  libseccomp,
  refusedOptions(type, options) {
    try {
      const results = addon().tryFilesystem(type, options);
      return results.map(({ error, words }) => (error === 0 ? undefined : words || errnoWords(error)));
    } catch (error) {
      // An ordinary user may not open a filesystem outside a user namespace.
      if (errorCode(error) !== 'unknown error') return [];
      throw error;
    }
  },
  head(path, size) {
    let fd = -1;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const bytes = new Uint8Array(size);
      return bytes.subarray(0, readSync(fd, bytes, 0, size, 0));
    } catch {
      return undefined;
    } finally {
      if (fd >= 0) closeSync(fd);
    }
  },
  names(path) {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  },
  text(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
};
