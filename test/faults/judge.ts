/** What is wrong after a case. */
import { isAlive } from '../harness/leaks.ts';
import { runsOnNode } from '../harness/runtime.ts';
import type { Fault, Injected } from './injector.ts';
import type { Place } from './place.ts';
import type { Scenario } from './scenarios.ts';

/**
 * CRASH: ended by a signal or with a stack trace. HANG: did not end. INTERNAL: prints "internal error". MUTE: fails
 * without a message. LIE: reports a success or a `state` that is not true. LEFT: a failure leaves what it made, `delete
 * --force` does not work, or the id cannot be used again. LOST: processes run that no command knows of. LEAK: something
 * is left after `delete --force` has succeeded.
 */
export type Kind = 'CRASH' | 'HANG' | 'INTERNAL' | 'MUTE' | 'LIE' | 'LEFT' | 'LOST' | 'LEAK';

export interface Verdict {
  kind: Kind;
  words: string;
}

/** Judges the command itself. */
export function judgeCommand(fault: Fault, scenario: Scenario, injected: Injected): Verdict | undefined {
  const { code, signal, stderr, hangsIn } = injected;
  const killed = fault.how === 'kill' && injected.fired && scenario.whose === 'own';
  if (hangsIn !== undefined) return { kind: 'HANG', words: `in ${hangsIn}` };
  if (isOfNode(injected)) return undefined;
  if (/internal error/.test(stderr)) return { kind: 'INTERNAL', words: 'of an error of the system' };
  if (/^ +at .*:\d+|^goroutine \d+/m.test(stderr)) return { kind: 'CRASH', words: 'a stack trace' };
  if (killed) return undefined;
  if (signal !== null || isSignal(code ?? 0)) return { kind: 'CRASH', words: `ended with ${signal ?? code}` };
  if (code !== 0 && stderr.trim() === '' && !breaksItsWords(injected)) {
    return { kind: 'MUTE', words: `ended with ${code}` };
  }
  return undefined;
}

/** Whether it was the start or end of Node, which takes some errors for defects of its own. */
export function isOfNode({ code, stderr }: Injected): boolean {
  return runsOnNode && (code === 134 || /Native stack trace|^ +at node:internal/m.test(stderr));
}

/** As shells and runtimes pass a signal on; 255 is a failed exec. */
function isSignal(code: number): boolean {
  return code > 128 && code <= 128 + 64;
}

/** Whether the failed call was to print the message. */
function breaksItsWords({ where }: Injected): boolean {
  return /^\d+ write .*(level=|msg=|error)/.test(where);
}

/** Judges whether a success is true. */
export async function judgeSuccess(
  scenario: Scenario,
  place: Place,
  { stdout, stderr }: Injected,
): Promise<Verdict | undefined> {
  const words = await scenario.check(place, stdout, stderr);
  return words === undefined ? undefined : { kind: 'LIE', words: `success, but ${words}` };
}

/** Judges whether a failed command that makes a container has left none. */
export async function judgeFailure(scenario: Scenario, place: Place): Promise<Verdict | undefined> {
  if (!scenario.makes) return undefined;
  const left = await place.settledRemains();
  if (left.length === 0) return undefined;
  const state = await place.state();
  if (scenario.mayLeaveStopped && typeof state !== 'string' && state.status === 'stopped') return undefined;
  return { kind: 'LEFT', words: `a failure leaves ${left.join(', ')}` };
}

/** Judges whether `state` is true. */
export async function judgeState(place: Place): Promise<Verdict | undefined> {
  let verdict: Verdict | undefined;
  // A process that was killed, or has lost its runtime, takes a while to end.
  for (let tries = 0; tries < 3; tries++) {
    verdict = await stateNow(place);
    if (verdict === undefined) return undefined;
    if (verdict.kind === 'LOST') await place.settles(() => place.processes().length === 0);
  }
  return verdict;
}

async function stateNow(place: Place): Promise<Verdict | undefined> {
  const state = await place.state();
  const processes = place.processes();
  if (typeof state === 'string') {
    return processes.length === 0 ? undefined : { kind: 'LOST', words: `processes ${processes}; state: ${state}` };
  }
  const { pid, status } = state;
  // After a killed create, until its init has ended by itself, too.
  if (status === 'creating') return { kind: 'LOST', words: `state says creating; processes ${processes}` };
  const lives = pid > 0 && isAlive(pid);
  if (['running', 'created', 'paused'].includes(status) && !lives) {
    return { kind: 'LIE', words: `state says ${status}, and ${pid} does not run` };
  }
  if (status === 'stopped' && (lives || processes.length > 0)) {
    return { kind: 'LIE', words: `state says stopped, and ${[pid, ...processes]} run` };
  }
  const frozen = place.cgroupFile('cgroup.events').includes('frozen 1');
  if (frozen !== (status === 'paused')) return { kind: 'LIE', words: `state says ${status}; frozen is ${frozen}` };
  return undefined;
}

/** Judges whether `delete --force` removes everything, and another container can have the id. */
export async function judgeEnd(place: Place): Promise<Verdict | undefined> {
  const { code, stderr } = await place.runtime(['delete', '--force', place.id]);
  if (code !== 0 && (place.hasRecord() || place.remains().length > 0)) {
    return { kind: 'LEFT', words: `delete --force: ${stderr.trim()}` };
  }
  const left = await place.settledRemains();
  if (left.length > 0) return { kind: 'LEAK', words: left.join(', ') };
  try {
    await place.ok('create', '--bundle', place.bundle.directory, place.id);
    await place.ok('delete', '--force', place.id);
  } catch (error) {
    return { kind: 'LEFT', words: `the id cannot be used again: ${(error as Error).message}` };
  }
  return undefined;
}
