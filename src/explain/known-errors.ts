/** Errors whose words name no property, because engines look for exactly these words; and what they mean. */
import { constants } from 'node:os';
import { systemHint } from '../errors.ts';
import { errnoWords } from '../linux/errno.ts';

export interface KnownError {
  readonly pattern: RegExp;
  readonly text: string;
  /** The property that the error is about. */
  readonly pointer?: string;
}

export const knownErrors: readonly KnownError[] = [
  {
    pattern: /executable file not found in \$PATH/,
    text: 'The program was looked for inside the root filesystem, in each directory of PATH in /process/env. `tsrun check` says where.',
    pointer: '/process/args',
  },
  {
    pattern: /exec format error/i,
    text: 'The file can be executed by its mode, but the kernel knows no way to: it is no ELF program of this machine, or a script without #!.',
    pointer: '/process/args',
  },
  {
    pattern: /exec: "[^"]*": (permission denied|no such file or directory|is a directory)/,
    text: 'The program counts from the root filesystem and from /process/cwd, and must be executable for the user of /process/user.',
    pointer: '/process/args',
  },
  {
    pattern: /container does not exist|"[^"]*" does not exist/,
    text: 'No container has this name in the directory of the state (--root). `tsrun list` has those that are there; each --root and each user has its own.',
  },
  {
    pattern: /container with given ID already exists/,
    text: 'A container, running or stopped, has this name. `tsrun delete ID` removes a stopped one; --force ends it first.',
  },
  {
    pattern: /container not running|cannot exec in a stopped container|cannot start a container that has stopped/,
    text: 'Its program has ended, or has not been started. `tsrun state ID` tells which; `tsrun run --keep` lets `tsrun wait` tell how it ended.',
  },
  {
    pattern: /invalid rootfs/,
    text: 'The root filesystem is not a directory that can be reached.',
    pointer: '/root/path',
  },
  {
    pattern: /JSON specification file/,
    text: 'A bundle is a directory with a config.json and a root filesystem. `tsrun spec` writes a config.json to begin with.',
  },
  {
    pattern: /unknown property/,
    text: 'The specification has no such property there, and has it ignored: it is misspelt, stands in the wrong object, or is of a later version.',
  },
  {
    pattern: /internal error/,
    text: 'A defect of tsrun. TSRUN_STACK=1 shows where; tell whoever gave it to you.',
  },
];

/** The system's errors that a text names. */
export function errnosIn(text: string): { name: string; words: string; hint: string | undefined }[] {
  const names = [...new Set([...text.matchAll(/\bE[A-Z0-9]{2,}\b/g)].map(([name]) => name))];
  return names.flatMap((name) => {
    const number = (constants.errno as Record<string, number>)[name];
    if (number === undefined) return [];
    return [{ name, words: errnoWords(number), hint: systemHint({ code: name }) }];
  });
}
