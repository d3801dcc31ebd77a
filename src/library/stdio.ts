/** Standard streams of a container's process: pipes to this process, or what the caller names. */
import { constants, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { nodeAddon } from '../addon.ts';
import { TsrunError } from '../errors.ts';
import { orTsrunError } from './arguments.ts';

/**
 * As in child_process: `pipe` to a stream here, `inherit` this process's own, `ignore` for /dev/null, or a descriptor
 * of this process, which stays open here.
 */
export type Stdio = 'pipe' | 'inherit' | 'ignore' | number;

/**
 * One for all three, or a list for stdin, stdout and stderr; from its fourth entry on, descriptors that the container
 * gets as 3, 4, …
 */
export type StdioOptions = Stdio | readonly (Stdio | undefined)[];

/** The most descriptors of a container; the engine uses the rest of the low numbers. */
const mostDescriptors = 16;

/**
 * The descriptors that the other side gets, and the streams that stay here. The addon opens and closes them: in a
 * worker, Node counts what its own functions open, and warns of what they close and have not opened.
 */
export interface OpenedStdio {
  /** Indexed by the number that they have there. */
  readonly descriptors: readonly number[];
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Called when the other side has them, or will never get them. */
  closeTheirs(): void;
  /** Called when nothing will ever use the streams. */
  discard(): void;
}

export function openStdio(options: StdioOptions, standard: Stdio): OpenedStdio {
  const wanted: (Stdio | undefined)[] = typeof options === 'object' ? [...options] : [options, options, options];
  while (wanted.length < 3) wanted.push(undefined);
  if (wanted.length > mostDescriptors) {
    throw new TsrunError(`stdio: at most ${mostDescriptors} descriptors are passed on`, { code: 'EINVALIDARG' });
  }
  const theirs: number[] = [];
  const streams: (Socket | null)[] = [];
  const closeTheirs = () => {
    for (const fd of theirs.splice(0)) nodeAddon().close(fd);
  };
  const discard = () => {
    for (const stream of streams) stream?.destroy();
  };
  try {
    const descriptors = wanted.map((each = standard, index) => {
      const { fd, own, stream } = openOne(each, index);
      if (own) theirs.push(fd);
      streams.push(stream);
      return fd;
    });
    const [stdin = null, stdout = null, stderr = null] = streams;
    return { descriptors, stdin, stdout, stderr, closeTheirs, discard };
  } catch (error) {
    closeTheirs();
    discard();
    throw orTsrunError(error);
  }
}

function openOne(wanted: Stdio, index: number): { fd: number; own: boolean; stream: Socket | null } {
  if (typeof wanted === 'number') return { fd: demandOpen(wanted, index), own: false, stream: null };
  if (wanted === 'inherit') return { fd: demandOpen(index, index), own: false, stream: null };
  if (wanted === 'ignore') {
    const flags = index === 0 ? constants.O_RDONLY : constants.O_WRONLY;
    return { fd: nodeAddon().open('/dev/null', flags, 0), own: true, stream: null };
  }
  if (wanted !== 'pipe' || index > 2) {
    throw new TsrunError(`stdio[${index}]: expected ${index > 2 ? '' : 'pipe, inherit, ignore or '}a descriptor`, {
      code: 'EINVALIDARG',
    });
  }
  const [read, write] = nodeAddon().makePipe(false);
  const isInput = index === 0;
  const stream = new Socket({ fd: isInput ? write : read, readable: !isInput, writable: isInput });
  return { fd: isInput ? read : write, own: true, stream };
}

function demandOpen(fd: number, index: number): number {
  try {
    fstatSync(fd);
    return fd;
  } catch (error) {
    throw new TsrunError(`stdio[${index}]: descriptor ${fd} is not open`, { code: 'EINVALIDARG', cause: error });
  }
}
