/** The engine below the keeper. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { addon } from '../addon.ts';
import { removeLinks } from './bootstrap.ts';
import { Publisher } from './events.ts';
import { Keeper } from './keeper.ts';
import { Ledger } from './ledger.ts';
import { Namespaces } from './namespaces.ts';
import { serve } from './ttrpc.ts';

/** As the keeper passes it on. */
const listenerFd = 3;

/** It leaves after so many milliseconds without a container or a connection. */
const idleTime = 5000;

export interface ServerOptions {
  readonly socket: string;
  readonly lockFile: string;
  /** Of the container that it was started for. */
  readonly namespace: string;
  /** Address of containerd's ttrpc socket. */
  readonly publishTo: string;
}

export function runServer({ socket, lockFile, namespace, publishTo }: ServerOptions): void {
  // libc has read it: hooks do not get it.
  delete process.env.MALLOC_ARENA_MAX;
  const keeper = new Keeper();
  const publisher = new Publisher(publishTo);
  const tasks = new Namespaces({ socket, namespace, keeper, publisher });
  let connections = 0;
  let leaving: NodeJS.Timeout | undefined;
  // All its containers depend on it, so one failure must not end it.
  process.on('uncaughtException', (error) => console.error(error));
  process.on('unhandledRejection', (error) => console.error(error));
  const server = createServer((client) => {
    connections++;
    client.on('close', () => {
      connections--;
      waitIdle();
    });
    serve(client, tasks.answer);
  });
  // What containerd has asked the last engine waits there, and asks for its tasks.
  void tasks.adoptAll().then(() => server.listen({ fd: listenerFd }, waitIdle));

  function waitIdle(): void {
    clearTimeout(leaving);
    leaving = setTimeout(leave, idleTime);
  }

  /** Takes the lock of `start`, so that no start can be about to answer with this address. */
  function leave(): void {
    const isIdle = connections === 0 && tasks.isEmpty && publisher.isIdle;
    if (!isIdle) return waitIdle();
    const lock = openSync(lockFile, 'r');
    if (!addon().lock(lock, false)) {
      closeSync(lock);
      return waitIdle();
    }
    removeLinks(socket);
    rmSync(socket, { force: true });
    Ledger.removeAll(socket);
    process.exit(0);
  }
}
