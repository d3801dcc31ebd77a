import { readlinkSync } from 'node:fs';
import { namesIn, textOf } from '../../../there.ts';
import type { FoundObstacle } from './obstacle.ts';
import { called, type Process } from './processes.ts';

export interface ConnectionFlags {
  readonly tcpEstablished: boolean;
  readonly tcpClose: boolean;
  readonly tcpSkipInFlight: boolean;
}

/** From the kernel's tcp_states.h. */
const states = { synSent: 0x02, synReceived: 0x03, close: 0x07, listen: 0x0a } as const;

/** Files below /proc/PID/net that list the sockets of a network namespace. */
const lists = ['unix', 'tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6', 'netlink', 'packet'];

export function connectionObstacles(tree: readonly Process[], flags: ConnectionFlags): FoundObstacle[] {
  return tree.flatMap((process) => {
    const sockets = socketsOf(process);
    if (sockets.size === 0) return [];
    return [...connections(process, sockets, flags), ...outerStdio(process, sockets)];
  });
}

/** Maps the inode of each socket to a descriptor of it. */
function socketsOf({ pid }: Process): Map<number, string> {
  const found = new Map<number, string>();
  for (const fd of namesIn(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    if (inode !== undefined) found.set(Number(inode), fd);
  }
  return found;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function connections(process: Process, sockets: Map<number, string>, flags: ConnectionFlags): FoundObstacle[] {
  const lines = ['tcp', 'tcp6'].flatMap((name) => linesOf(process, name));
  return lines.flatMap((line) => {
    const [, local = '', remote = '', state = '', queues = '', , , , , inode] = line.trim().split(/\s+/);
    const fd = sockets.get(Number(inode));
    const waiting = Number.parseInt(queues.split(':')[1] ?? '', 16);
    const problem = fd === undefined ? undefined : problemOf(Number.parseInt(state, 16), waiting, flags);
    if (problem === undefined) return [];
    const ports = portOf(remote) === 0 ? `port ${portOf(local)}` : `port ${portOf(local)} to port ${portOf(remote)}`;
    const what = `${problem.what}, ${ports}`;
    const message = `${called(process)}, descriptor ${fd}: ${what}`;
    return { rule: problem.rule, message, hint: problem.hint, pid: process.pid, file: `socket:${inode}` };
  });
}

/** @param waiting of a listening socket, connections that the program has not accepted yet */
function problemOf(
  state: number,
  waiting: number,
  flags: ConnectionFlags,
): { rule: string; what: string; hint: string } | undefined {
  const inFlight = { rule: 'tcp-in-flight', hint: '--tcp-skip-in-flight' };
  if (state === states.listen) {
    if (waiting === 0 || flags.tcpSkipInFlight) return undefined;
    return { ...inFlight, what: 'TCP connections that it has not accepted' };
  }
  if (state === states.close || flags.tcpClose) return undefined;
  if (state === states.synSent || state === states.synReceived) {
    if (flags.tcpSkipInFlight) return undefined;
    return { ...inFlight, what: 'a TCP connection is just being made' };
  }
  if (flags.tcpEstablished) return undefined;
  const hint = '--tcp-established keeps it, --tcp-close has the program find it closed';
  return { rule: 'tcp-established', what: 'an open TCP connection', hint };
}

function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}

function linesOf({ pid }: Process, name: string): string[] {
  return textOf(`/proc/${pid}/net/${name}`).split('\n').slice(1).filter(Boolean);
}

/**
 * Reports stdio sockets from another network namespace. A namespace lists its own sockets, except unbound ones, which
 * nobody passes as stdio.
 */
function outerStdio(process: Process, sockets: Map<number, string>): FoundObstacle[] {
  const stdio = [...sockets].filter(([, fd]) => ['0', '1', '2'].includes(fd));
  if (stdio.length === 0) return [];
  const listed = new Set(lists.flatMap((name) => linesOf(process, name).flatMap(numbersIn)));
  return stdio
    .filter(([inode]) => !listed.has(inode))
    .map(([inode, fd]) => ({
      rule: 'outer-socket',
      message: `${called(process)}, descriptor ${fd}: a socket whose other end is outside`,
      hint: 'start the container with pipes or files for stdin, stdout and stderr',
      pid: process.pid,
      file: `socket:${inode}`,
    }));
}

function numbersIn(line: string): number[] {
  return line.trim().split(/\s+/).map(Number);
}
