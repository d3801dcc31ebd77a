/**
 * The engine below the keeper: a program of its own, as whatever it loads stays in memory with the containers.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { addon, nodeAddon } from '../addon.ts';
import { collectGarbage } from '../library/garbage.ts';
import { expectJob, saveMemory } from '../library/pool.ts';
import { keepProgram } from '../library/seat.ts';
import { Publisher } from './events.ts';
import { Keeper } from './keeper.ts';
import { Ledger } from './ledger.ts';
import { removeLinks } from './links.ts';
import { Namespaces } from './namespaces.ts';
import { secondsFrom } from './seconds.ts';
import { serve } from './ttrpc.ts';
import { newerKeeper } from './versions.ts';

/** As the keeper passes it on. */
const listenerFd = 3;

/** For how many seconds nothing may be asked of it before it also gives back what makes it answer fast. */
const restTime = 600;

/** It leaves after so many milliseconds without a container or a connection. */
const idleTime = 5000;

interface EngineOptions {
  readonly socket: string;
  /** Of the container that it was started for. */
  readonly namespace: string;
  /** Address of containerd's ttrpc socket. */
  readonly publishTo: string;
}

const [, , socket = '', namespace = '', publishTo = ''] = process.argv;
runEngine({ socket, namespace, publishTo });

function runEngine({ socket, namespace, publishTo }: EngineOptions): void {
  // libc has read it: hooks do not get it.
  delete process.env.MALLOC_ARENA_MAX;
  collectEarly();
  saveMemory(restMilliseconds(), collect);
  keepProgram();
  heedKeeper();
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
    expectJob();
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
    const lock = openSync(`${socket}.lock`, 'r');
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

/** Programs that the shim starts do not get the variable. */
function heedKeeper(): void {
  const finding = newerKeeper(process.env.TSRUN_SHIM_KEEPER);
  delete process.env.TSRUN_SHIM_KEEPER;
  if (finding !== undefined) console.error(finding);
}

/** 0 stands for never. */
function restMilliseconds(): number {
  const seconds = secondsFrom('TSRUN_SHIM_REST_SECONDS', 0, restTime);
  return seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
}

/**
 * V8 would let hundreds of megabytes of garbage grow before it first collects the old objects of a thread, and an engine
 * that is asked something every second, as by probes, never rests.
 */
function collectEarly(): void {
  // Half as much garbage as there are live objects.
  setFlagsFromString('--heap-growing-percent=50');
  // For the heaps of workers, in megabytes. This thread's own, which exists, has its limit from its first collection.
  setFlagsFromString('--initial-old-space-size=12');
  globalThis.gc?.();
}

/** Gives back what the last containers' life has left. */
function collect(): void {
  collectGarbage();
  nodeAddon().trimMemory();
}
