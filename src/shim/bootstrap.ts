/** `start`: finds the keeper of the container's group, or starts one; it starts the engine. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, openSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { addon } from '../addon.ts';
import { socketDirectory } from './links.ts';
import { keeperProgram } from './programs.ts';

export interface ShimFlags {
  readonly namespace: string;
  /** containerd's address. */
  readonly address: string;
  readonly publishTo: string;
  /** What containers with the same process have in common; '' for all of the node. */
  readonly group: string;
}

/** Two starts at once lead to one process: the second waits for the lock of the first, and then finds its socket. */
export async function startServer(flags: ShimFlags, program: string): Promise<string> {
  mkdirSync(socketDirectory, { recursive: true, mode: 0o711 });
  const socket = socketOf(flags);
  const lock = openSync(`${socket}.lock`, 'a', 0o600);
  addon().lock(lock, true);
  if (!(await answers(socket))) {
    rmSync(socket, { force: true });
    await launch(socket, flags, program);
  }
  return `unix://${socket}`;
}

function socketOf({ group, address }: ShimFlags): string {
  const name = createHash('sha256').update(`${address}\0${group}`).digest('hex').slice(0, 24);
  return `${socketDirectory}/tsrun-${name}`;
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const client = createConnection(socket, () => {
      resolve(true);
      client.destroy();
    });
    // Any other error says nothing of the server, whose socket must then stay.
    client.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}

/**
 * Starts the keeper and waits until it listens. It must not inherit this process's stdout, which containerd reads to
 * its end.
 */
function launch(socket: string, { namespace, publishTo }: ShimFlags, program: string): Promise<void> {
  const log = openSync(`${socket}.log`, 'a', 0o600);
  const { NOTIFY_SOCKET: _, TSRUN_SHIM_LINK: __, ...env } = process.env;
  const directory = dirname(program);
  const engine = [process.execPath, '--expose-gc', join(directory, 'shim-engine.mjs'), socket, namespace, publishTo];
  const server = spawn(keeperProgram(), [socket, ...engine], {
    detached: true,
    cwd: '/',
    // Each of the engine's threads would otherwise keep an arena of its own.
    env: { ...env, MALLOC_ARENA_MAX: '1' },
    stdio: ['ignore', log, log, 'pipe'],
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.on('exit', (code, signal) => reject(new Error(`the shim ended with ${code ?? signal}: see ${socket}.log`)));
    const ready = server.stdio[3] as import('node:stream').Readable;
    ready.on('data', () => {
      ready.destroy();
      server.unref();
      resolve();
    });
  });
}
