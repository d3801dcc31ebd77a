import { lstatSync, readFileSync, statSync } from 'node:fs';
import type { LinuxSeccomp } from '../generated/spec.ts';
import { compileFilter } from '../seccomp/compile.ts';

/** What a check may ask the host's file system; tests answer themselves. */
export interface Probe {
  /** What stands at a path of the host, symbolic links followed. */
  kindOf(path: string): PathKind;
  /** Whether a symbolic link stands there, which may lead nowhere. */
  isLink(path: string): boolean;
  /** Compiles a seccomp profile; throws a TsrunError when that cannot be done. */
  compileSeccomp(profile: LinuxSeccomp): void;
  /** The file's text; undefined when it cannot be read. */
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
    compileFilter(profile);
  },
  text(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
};
