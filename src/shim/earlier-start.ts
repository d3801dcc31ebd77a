/** Whether an earlier engine has started a process of Exec's: it may have died before it wrote so in the task's file. */
import { setTimeout as sleep } from 'node:timers/promises';
import { initName, processStat } from '../host/processes.ts';
import type { Identity } from '../library/places.ts';
import { readIfThere } from '../there.ts';
import type { Ledger } from './ledger.ts';

/** Milliseconds between two looks at a process that is still tsrun's init. */
const patience = 5;

/**
 * The process is noted while it waits for a word, without which it ends. So without a note no program runs, or ever
 * will. With one, a process that has had its word becomes the program, and another ends as tsrun's init: nothing is
 * killed, as a kill could meet the program.
 *
 * @param note the file that the worker has written
 * @returns undefined if no program runs, or has run, and none will
 */
export async function earlierStart(note: string, ledger: Ledger): Promise<Identity | undefined> {
  const identity = identityIn(note);
  if (identity === undefined) return undefined;
  for (;;) {
    const stat = processStat(identity.pid);
    // The keeper has noted its end, if it reaped it; an engine that did so without the task's file has given up the start.
    if (stat?.startTime !== identity.startTime) return ledger.hasEndedAsProgram(identity) ? identity : undefined;
    if (stat.name !== initName) return identity;
    await sleep(patience);
  }
}

/** Undefined also if the worker was killed while it wrote: the process then had no word. */
function identityIn(note: string): Identity | undefined {
  try {
    return JSON.parse(readIfThere(note) ?? '') as Identity;
  } catch {
    return undefined;
  }
}
