/** The resident process: one for each namespace of a containerd. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { addon } from '../addon.ts';
import { Publisher } from './events.ts';
import { TaskService } from './service.ts';
import { serve } from './ttrpc.ts';

/** It leaves after so many milliseconds without a container or a connection. */
const idleTime = 5000;

export interface ServerOptions {
  readonly socket: string;
  readonly lockFile: string;
  readonly namespace: string;
  /** Address of containerd's ttrpc socket. */
  readonly publishTo: string;
  /** Called when the socket accepts connections. */
  ready(): void;
}

export function runServer({ socket, lockFile, namespace, publishTo, ready }: ServerOptions): void {
  const publisher = new Publisher(publishTo, namespace);
  const service = new TaskService(namespace, publisher);
  let connections = 0;
  let leaving: NodeJS.Timeout | undefined;
  // All containers of the namespace depend on it, so one failure must not end it.
  process.on('uncaughtException', (error) => console.error(error));
  process.on('unhandledRejection', (error) => console.error(error));
  const server = createServer((client) => {
    connections++;
    client.on('close', () => {
      connections--;
      waitIdle();
    });
    serve(client, service.answer);
  });
  process.umask(0o077);
  server.listen(socket, () => {
    process.umask(0o022);
    ready();
    waitIdle();
  });

  function waitIdle(): void {
    clearTimeout(leaving);
    leaving = setTimeout(leave, idleTime);
  }

  /** Takes the lock of `start`, so that no start can be about to answer with this address. */
  function leave(): void {
    const isIdle = connections === 0 && service.isEmpty && publisher.isIdle;
    if (!isIdle) return waitIdle();
    const lock = openSync(lockFile, 'r');
    if (!addon().lock(lock, false)) {
      closeSync(lock);
      return waitIdle();
    }
    rmSync(socket, { force: true });
    process.exit(0);
  }
}
