/**
 * The FIFOs of a process, which containerd names and its client reads. The process gets them directly: nothing is
 * copied. The shim holds the other end of each, so that a reader may leave and come back, and stdin stays open until
 * CloseIO.
 */
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { closeQuietly } from '../close.ts';
import { Status } from './ttrpc.ts';

/** Paths; '' for a stream that nobody wants. */
export interface Io {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessStdio {
  /** The process's descriptors 0, 1 and 2. */
  readonly descriptors: readonly number[];
  /** Called when the process has them, or will never get them. */
  closeTheirs(): void;
  closeInput(): void;
  /** Called when the process is deleted. */
  release(): void;
}

const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_NOCTTY } = constants;

export function openStdio(paths: Io): ProcessStdio {
  const theirs: number[] = [];
  const held: number[] = [];
  let input: number | undefined;
  try {
    for (const [index, path] of [paths.stdin, paths.stdout, paths.stderr].entries()) {
      demandFifo(path);
      if (path === '') theirs.push(openSync('/dev/null', index === 0 ? O_RDONLY : O_WRONLY));
      else if (index === 0) {
        // Opened for both directions, because neither end may be open yet; the process's own end must be a blocking one.
        input = openSync(path, O_RDWR | O_NONBLOCK | O_NOCTTY);
        theirs.push(openSync(path, O_RDONLY | O_NOCTTY));
      } else {
        held.push(openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
        theirs.push(openSync(path, O_WRONLY | O_NOCTTY));
      }
    }
  } catch (error) {
    closeAll();
    throw error;
  }
  return { descriptors: [...theirs], closeTheirs, closeInput, release: closeAll };

  function closeTheirs(): void {
    for (const fd of theirs.splice(0)) closeSync(fd);
  }
  function closeInput(): void {
    if (input !== undefined) closeSync(input);
    input = undefined;
  }
  function closeAll(): void {
    closeInput();
    for (const fd of [...theirs.splice(0), ...held.splice(0)]) closeQuietly(fd);
  }
}

/** Anything else could block open(2), and with it all other containers. */
function demandFifo(path: string): void {
  if (path === '') return;
  if (path.includes('://')) throw new Status('unimplemented', `log URI ${path}: the shim passes FIFOs only`);
  if (!statSync(path).isFIFO()) throw new Status('invalidArgument', `${path} is no FIFO`);
}
