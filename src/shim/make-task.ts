/** The jobs that make a task's process: a new one, or one from a checkpoint. */
import type { Child } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { isThere } from '../there.ts';
import { restoreFlags } from './checkpoint.ts';
import type { CreateOptions } from './create-options.ts';
import { noteOf } from './note.ts';
import type { ProcessStdio } from './stdio.ts';

/** @param signal gives it up: what has been made by then is undone */
export function make(options: CreateOptions, { descriptors }: ProcessStdio, signal: AbortSignal): Promise<Child> {
  const { rootfs } = options;
  const given = { spec: undefined, consoleSocket: undefined, pidfdSocket: undefined, rootfs };
  const { root, lowering } = lowered(options);
  // The engine may die within a start: the next one goes on with it.
  const job = { ...given, root, lowering: { ...lowering, waitsAgain: true } };
  return runJob('create', { ...job, descriptors, holdsTerminal: options.io.terminal }, signal);
}

export function restore(options: CreateOptions, { descriptors }: ProcessStdio): Promise<Child> {
  return runJob('restore', { ...restoreFlags(options), ...lowered(options), descriptors });
}

function lowered({ id, bundle, root, noPivot, noNewKeyring, cgroupManager }: CreateOptions) {
  const choices = { noPivot, noNewKeyring, cgroupManager, rootless: 'auto', preserveFds: 0 } as const;
  return { root, lowering: { id, bundle, ...choices } };
}

/** Removes what an engine has left that died while it created the same task; the note tells that there was one. */
export async function cleanBundle({ bundle, root, id }: CreateOptions): Promise<void> {
  if (!isThere(noteOf(bundle))) return;
  await runJob('delete', { root, id, force: true, unmounts: bundle });
}
