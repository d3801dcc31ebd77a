/**
 * Signals by name (signal(7)), with the same numbers on every architecture that tsrun runs on. This is our own table,
 * because engines and libcs have different names (SIGIO or SIGPOLL), and `kill` must not depend on them.
 */
import { TsrunError } from '../errors.ts';

/** Starting at number 1. */
const names = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT ' +
  'CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
).split(' ');

/** The names that completion offers. */
export const signalNames: readonly string[] = names;

/** Other names, from signal(7) and kill(1). */
const aliases: Readonly<Record<string, string>> = { IOT: 'ABRT', CLD: 'CHLD', POLL: 'IO' };

/** SIGRTMIN of glibc and musl, which keep two signals for themselves, and SIGRTMAX. */
const firstRealtime = 34;
const lastSignal = 64;

export const SIGKILL = 9;
export const SIGTERM = 15;

/**
 * A signal's number from `15`, `TERM`, `SIGTERM` or `sigterm`, or a realtime name of kill(1). 0 only asks whether the
 * process exists.
 *
 * @throws TsrunError in runc's words
 */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : numberOf(text.toUpperCase().replace(/^SIG/, ''));
  if (number !== undefined && number <= lastSignal) return number;
  throw new TsrunError(`unknown signal ${JSON.stringify(text)}`, {
    code: 'EINVALIDARG',
    hint: 'a name such as TERM, or a number up to 64',
  });
}

function numberOf(name: string): number | undefined {
  const index = names.indexOf(aliases[name] ?? name);
  return index < 0 ? realtimeNumber(name) : index + 1;
}

function realtimeNumber(name: string): number | undefined {
  const match = /^RT(MIN(?:\+(\d+))?|MAX(?:-(\d+))?)$/.exec(name);
  if (match === null) return undefined;
  const [, base, above = 0, below = 0] = match;
  const number = base?.startsWith('MIN') ? firstRealtime + Number(above) : lastSignal - Number(below);
  return number >= firstRealtime && number <= lastSignal ? number : undefined;
}

/** `SIGTERM`; undefined for a realtime signal. */
export function signalName(signal: number): string | undefined {
  const name = names[signal - 1];
  return name === undefined ? undefined : `SIG${name}`;
}
