import { constants } from 'node:os';
import { hookEnd } from '../../generated/messages.ts';
import { nearPath } from '../../host/near-path.ts';
import { isThere } from '../../there.ts';

/** Kinds of hooks whose programs are in the image (config.md, POSIX-platform Hooks); all others are on the host. */
const ofTheImage = ['startContainer'];

interface HookEnd {
  readonly end: number;
  readonly code: number;
}

/** What to do about a failed hook, depending on how it ended. */
export function hookHint(kind: string, path: string, { end, code }: HookEnd): string | undefined {
  switch (end) {
    case hookEnd.notStarted:
      return startHint(kind, path, code);
    case hookEnd.timedOut:
      return 'raise its timeout, in seconds, or remove it';
    case hookEnd.exited:
      return `run it by hand with the JSON of tsrun state on its stdin, or take it out of /hooks/${kind}`;
    default:
      return undefined;
  }
}

/** False when the look-up fails: that must not hide the first error. */
function isProgramThere(path: string): boolean {
  try {
    return isThere(path);
  } catch {
    return false;
  }
}

function startHint(kind: string, path: string, error: number): string | undefined {
  const isOfImage = ofTheImage.includes(kind);
  const where = isOfImage ? 'in the root filesystem' : 'on the host';
  const { ENOENT, ENOTDIR, EACCES, ENOEXEC } = constants.errno;
  // The image's files cannot be seen from here.
  if (error === ENOENT && !isOfImage && isProgramThere(path))
    return 'the file is there: its interpreter or loader is not';
  const meant = isOfImage ? undefined : nearPath(path);
  if (error === ENOENT && meant !== undefined) return `its path is looked up ${where}: ${meant}`;
  if (error === ENOENT || error === ENOTDIR)
    return `its path is looked up ${where}: install the program, or take the hook out`;
  if (error === EACCES) return `it must be executable ${where} (chmod +x), and not on a noexec mount`;
  return error === ENOEXEC ? 'not a program for this architecture, or a script without #!' : undefined;
}
