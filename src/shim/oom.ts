/** Tells of a container's out-of-memory kills, as the kernel counts them in memory.events. */
import { constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { closeQuietly } from '../close.ts';
import { watchOnce } from '../library/watch.ts';

export class OomWatch {
  readonly #tell: () => void;
  #fd = -1;
  #stop: () => void = () => undefined;
  #kills = 0;
  #isTold = false;

  /** @param tell is called for each change in which there was a kill */
  constructor(tell: () => void) {
    this.#tell = tell;
  }

  /** Without a memory controller there is nothing to watch. */
  watch(cgroup: string): void {
    try {
      this.#fd = openSync(join(cgroup, 'memory.events'), constants.O_RDONLY);
    } catch {
      return;
    }
    this.#look();
    this.#wait();
  }

  #wait(): void {
    this.#stop = watchOnce(
      this.#fd,
      () => {
        if (this.#look()) this.#wait();
      },
      true,
    );
  }

  /** False when the cgroup is gone. */
  #look(): boolean {
    const bytes = Buffer.alloc(512);
    try {
      const text = bytes.toString('latin1', 0, readSync(this.#fd, bytes, 0, bytes.length, 0));
      const kills = Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
      if (kills > this.#kills) this.#tellKill();
      this.#kills = kills;
      return true;
    } catch {
      return false;
    }
  }

  #tellKill(): void {
    this.#isTold = true;
    this.#tell();
  }

  /**
   * Ends the watch.
   *
   * @param oomKilled whether it is known otherwise that there was a kill, which may be told only now
   */
  end(oomKilled: boolean): void {
    if (this.#fd >= 0) {
      this.#look();
      this.#stop();
      closeQuietly(this.#fd);
    }
    this.#fd = -1;
    if (oomKilled && !this.#isTold) this.#tellKill();
  }
}
