/** The engine's side of the keeper (addon/keeper): descriptors that outlive this process, by name. */
import { addon, nodeAddon } from '../addon.ts';
import { watchOnce } from '../library/watch.ts';

/** As the keeper passes it on. */
const controlFd = 4;
const longestName = 512;

/** What one process has with the keeper; kinds such as `stdout` name its descriptors. */
export interface Depot {
  store(kind: string, fd: number): void;
  /** The message that stores one, for another thread to send. */
  messageFor(kind: string): { readonly socket: number; readonly text: string };
  /** What an earlier engine has stored, once. */
  take(kind: string): number | undefined;
  drop(kind: string): void;
  dropAll(): void;
}

export class Keeper {
  readonly #saved = new Map<string, number>();

  constructor() {
    for (;;) {
      const message = addon().receiveMessage(controlFd, longestName);
      if (!message) throw new Error('the keeper has ended');
      const text = message.data.toString('utf8', 0, message.size);
      if (text === '.') break;
      this.#saved.set(text.slice(1), message.fd);
    }
    // Without it nobody can reach this process, and containerd has its containers deleted.
    watchOnce(controlFd, () => process.exit(1));
  }

  /** @param exec '' for the task's own process */
  depotOf(task: string, exec: string): Depot {
    const prefix = `${task}/${exec}/`;
    const send = (text: string, fd?: number) => nodeAddon().sendMessage(controlFd, Buffer.from(text), fd);
    return {
      store: (kind, fd) => send(`+${prefix}${kind}`, fd),
      messageFor: (kind) => ({ socket: controlFd, text: `+${prefix}${kind}` }),
      take: (kind) => {
        const fd = this.#saved.get(prefix + kind);
        this.#saved.delete(prefix + kind);
        return fd;
      },
      drop: (kind) => send(`-${prefix}${kind}`),
      // A task takes the descriptors of all its processes along.
      dropAll: () => send(`-${exec === '' ? `${task}/` : prefix}`),
    };
  }
}
