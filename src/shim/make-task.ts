/** How a task's process is made, a new one or one from a checkpoint, and started; or gone on with by another engine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execSocket, takenSocket } from '../container/store.ts';
import type { Child, Identity, Place } from '../library/places.ts';
import { runJob } from '../library/pool.ts';
import { isThere } from '../there.ts';
import { restoreFlags } from './checkpoint.ts';
import type { CreateOptions } from './create-options.ts';
import { adopt } from './ends.ts';
import { worded } from './failure.ts';
import type { Ledger, TaskNote } from './ledger.ts';
import { type BundleNote, noteOf } from './note.ts';
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

/** Leaves a note in the bundle, before anything is made, and removes what an engine has left that died after its own. */
export async function beginBundle({ bundle, root, id }: CreateOptions, ledger: Ledger): Promise<void> {
  if (isThere(noteOf(bundle))) await runJob('delete', { root, id, force: true, unmounts: bundle });
  ledger.forget(id);
  const note: BundleNote = { root, ledger: ledger.fileOf(id) };
  writeFileSync(noteOf(bundle), JSON.stringify(note), { mode: 0o600 });
}

/** Starts a container, or goes on with the start of an earlier engine that died before its answer. */
export async function startTask({ root, id }: Place, isAgain: boolean, signal: AbortSignal): Promise<void> {
  await runJob('start', { root, id }, signal).catch((error) => {
    const isStarted = error.code === 'EWRONGSTATE' && !isThere(join(root, id, execSocket));
    if (!isAgain || !isStarted) throw worded('start', error);
  });
}

/** The process of an earlier engine's task. If that died within Start, init waits for another. */
export async function adoptInit({ options, exit }: TaskNote, identity: Identity): Promise<Child> {
  const { root, id } = options;
  const child = exit === undefined ? await adopt(identity) : { ...identity, pidfd: -1, identity };
  if (child.pidfd < 0) return child;
  if (isThere(join(root, id, takenSocket))) await runJob('offerAgain', { root, id });
  const cgroup = await runJob('observed', { root, id }).catch(() => undefined);
  return { ...child, ...(cgroup !== undefined && { cgroup }) };
}
