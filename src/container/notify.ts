import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { addon } from '../addon.ts';
import { log } from '../log.ts';
import { notifySocket, takesNotifySocket } from '../lower/process/notify.ts';
import type { ContainerDirectory } from './store.ts';

export { takesNotifySocket };

const directoryName = 'notify';

/** The directory for the container's socket; undefined when no service manager has asked to be notified. */
export function notifyDirectoryFor(root: string, id: string): string | undefined {
  return process.env.NOTIFY_SOCKET ? join(resolve(root), id, directoryName) : undefined;
}

/**
 * Makes the directory. The mode lets every user in the container look into it; on the host only the owner of the state
 * directory can reach it.
 */
export function makeNotifyDirectory(directory: ContainerDirectory): void {
  mkdirSync(join(directory.path, directoryName), { mode: 0o755 });
}

/** Tells the service manager that the container is ready (sd_notify(3), READY and MAINPID). */
export class NotifyRelay {
  readonly #sockets: { from: number; to: number; pidfd: number; pid: number };

  constructor(sockets: { from: number; to: number; pidfd: number; pid: number }) {
    this.#sockets = sockets;
  }

  /** Waits until the container is ready, or has ended; for a command that returns then. */
  waitForReady(): void {
    addon().notifyRelay(this.#sockets, false);
  }

  /** Relays in the background; for a command that stays. */
  runBeside(): void {
    addon().notifyRelay(this.#sockets, true);
  }

  /** Ends runBeside, after the container's end. */
  finish(): void {
    addon().notifyFinish();
  }
}

/**
 * Must be called before the container starts, so that no message is lost. Returns undefined when this command has no
 * NOTIFY_SOCKET, when create had none, or, with a warning, when nobody listens there. The sockets stay open until this
 * process ends.
 *
 * @param isOwn whether this command has created the container, and waits with it
 */
export function openNotifyRelay(directory: ContainerDirectory, isOwn = false): NotifyRelay | undefined {
  const host = process.env.NOTIFY_SOCKET;
  if (!host) return undefined;
  const { init } = directory.read();
  // A container that has been started may still use its socket; start then says why it cannot go on.
  if (init === undefined || !(isOwn || directory.waitsForStart())) return undefined;
  const to = connectToManager(host);
  if (to === undefined) return undefined;
  const { pid } = init;
  try {
    const pidfd = addon().pidfdOpen(pid);
    return new NotifyRelay({
      from: addon().notifyListen(join(directory.path, directoryName), notifySocket),
      to,
      pidfd,
      pid,
    });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // Init has ended, which start reports, or create had no NOTIFY_SOCKET.
    if (code === 'ESRCH' || code === 'ENOENT') return undefined;
    throw error;
  }
}

function connectToManager(address: string): number | undefined {
  try {
    return addon().notifyConnect(address);
  } catch (error) {
    log('warning', `NOTIFY_SOCKET ${address}: cannot connect: ${(error as NodeJS.ErrnoException).code}`);
    return undefined;
  }
}
