/** Tells what happens to a profile's entries whose system calls libseccomp does not know. */

import type { LinuxSeccomp, LinuxSyscall, SeccompAction } from '../generated/spec.ts';
import { isLogged, log, logFinding, speaksToPeople } from '../log.ts';
import { didYouMean } from '../suggest.ts';

/** The parts of libseccomp that this needs. */
export interface Libseccomp {
  version(): string;
  /** This machine's system calls. */
  names(): readonly string[];
}

export interface UnknownCall {
  readonly pointer: string;
  readonly message: string;
  readonly hint: () => string | undefined;
  /** Whether the program may do what the profile should forbid. */
  readonly isHole: boolean;
}

const at = '/linux/seccomp/syscalls';

/**
 * A finding for each unknown name, and one for a profile that forbids nothing because of them.
 *
 * @param unknown the names that compiling has left out
 */
export function unknownCalls(profile: LinuxSeccomp, unknown: readonly string[], library: Libseccomp): UnknownCall[] {
  if (unknown.length === 0) return [];
  const names = new Set(unknown);
  const version = library.version();
  const found = (profile.syscalls ?? []).flatMap((entry, index) => {
    const isHole = forbids(entry, profile);
    const effect = isHole ? 'so it is not denied' : 'so the entry does nothing for it';
    return entry.names.flatMap((name, place) => {
      if (!names.has(name)) return [];
      const message = `libseccomp ${version} knows no system call ${JSON.stringify(name)}, ${effect}`;
      return [
        { pointer: `${at}/${index}/names/${place}`, message, hint: () => didYouMean(name, library.names()), isHole },
      ];
    });
  });
  return forbidsNothing(profile, names) ? [emptied, ...found] : found;
}

const emptied: UnknownCall = {
  pointer: at,
  message: 'the profile denies nothing: it allows by default, and no system call that it denies is known',
  hint: () => undefined,
  isHole: true,
};

function forbidsNothing(profile: LinuxSeccomp, unknown: ReadonlySet<string>): boolean {
  const denials = (profile.syscalls ?? []).filter((entry) => forbids(entry, profile));
  return denials.length > 0 && denials.every(({ names }) => names.every((name) => unknown.has(name)));
}

function forbids({ action }: LinuxSyscall, { defaultAction }: LinuxSeccomp): boolean {
  return allows(defaultAction) && !allows(action);
}

function allows(action: SeccompAction): boolean {
  return action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG';
}

/**
 * Logs what happens to a profile. A call that it should deny and does not is a warning. Other unknown calls are usual,
 * as engines name calls that are newer than libseccomp: people get one line about them, and logs have them at `debug`.
 */
export function logUnknownCalls(profile: LinuxSeccomp, unknown: readonly string[], library: Libseccomp): void {
  if (unknown.length === 0) return;
  log('debug', `seccomp: unknown to libseccomp and left out: ${unknown.join(', ')}`);
  if (!isLogged('warning') || (!allows(profile.defaultAction) && !speaksToPeople())) return;
  const found = unknownCalls(profile, unknown, library);
  for (const hole of found.filter(({ isHole }) => isHole)) logFinding('warning', hole);
  const [first, ...more] = found.filter(({ isHole }) => !isHole);
  if (first === undefined || !speaksToPeople()) return;
  const others = more.length === 0 ? '' : ` (and ${more.length} more: see tsrun check)`;
  logFinding('warning', { ...first, message: first.message + others });
}
