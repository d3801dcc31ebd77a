/** Waits for descriptors on the addon's thread. */
import { type NodeAddon, nodeAddon } from '../addon.ts';
import { orTsrunError } from './arguments.ts';

const waiting = new Map<number, () => void>();
let tokens = 0;
let holds = 0;
let started = false;

function watcher(): NodeAddon {
  const addon = nodeAddon();
  if (!started) watching(() => addon.watchWith(ready));
  started = true;
  return addon;
}

/** @throws TsrunError what the kernel refuses, such as one more descriptor */
function watching(action: () => void): void {
  try {
    action();
  } catch (error) {
    throw orTsrunError(error);
  }
}

function ready(token: number): void {
  const tell = waiting.get(token);
  waiting.delete(token);
  tell?.();
}

/**
 * Calls `tell` once when the descriptor is readable (for a pidfd: the process has ended) or, with `priority`, when a
 * cgroup's file has changed since it was read.
 *
 * @returns a function that ends the watch, which must be called before the descriptor is closed
 */
export function watchOnce(fd: number, tell: () => void, priority = false): () => void {
  const token = ++tokens;
  const addon = watcher();
  watching(() => addon.watch(fd, token, priority));
  waiting.set(token, tell);
  return () => {
    waiting.delete(token);
    watcher().unwatch(fd);
  };
}

/** Keeps this process alive until the returned function is called. */
export function holdProcess(): () => void {
  if (holds++ === 0) watcher().holdLoop(true);
  let held = true;
  return () => {
    if (held && --holds === 0) watcher().holdLoop(false);
    held = false;
  };
}
