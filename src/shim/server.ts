/** The engine below the keeper: one for each namespace of a containerd. */
import { closeSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { addon } from '../addon.ts';
import { Publisher } from './events.ts';
import { Keeper } from './keeper.ts';
import { Ledger } from './ledger.ts';
import { TaskService } from './service.ts';
import { serve } from './ttrpc.ts';

/** As the keeper passes it on. */
const listenerFd = 3;

/** It leaves after so many milliseconds without a container or a connection. */
const idleTime = 5000;

export interface ServerOptions {
  readonly socket: string;
  readonly lockFile: string;
  readonly namespace: string;
  /** Address of containerd's ttrpc socket. */
  readonly publishTo: string;
}

export function runServer({ socket, lockFile, namespace, publishTo }: ServerOptions): void {
  const keeper = new Keeper();
  const ledger = new Ledger(socket);
  const publisher = new Publisher(publishTo, namespace);
  const service = new TaskService(namespace, publisher, keeper, ledger);
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
  // What containerd has asked the last engine waits there, and asks for its tasks.
  void service.adoptAll().then(() => server.listen({ fd: listenerFd }, waitIdle));

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
    ledger.removeAll();
    process.exit(0);
  }
}
