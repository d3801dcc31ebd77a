/** Questions that need no container. */
import type { Report } from '../check/check.ts';
import type { Features, Spec } from '../generated/spec.ts';
import type { Plan } from '../plan/plan.ts';
import { checkArgument, checkOptions, may, type Shape } from './arguments.ts';
import { type Abortable, abortable, questionShape, rootOf, type SubjectOptions, subjectOf } from './options.ts';
import { runJob } from './pool.ts';

export interface SpecOptions extends Abortable {
  /** Make one that an ordinary user can run (default: whether this process is an ordinary user's). */
  readonly rootless?: boolean | undefined;
  /** Root filesystem, relative to the bundle (default: rootfs). */
  readonly rootfs?: string | undefined;
  /** Let the container write to its root filesystem. */
  readonly writable?: boolean | undefined;
  /** Give the program a terminal. */
  readonly terminal?: boolean | undefined;
  readonly hostname?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Makes a config to start from, as `tsrun spec` does, but without a terminal. */
export async function spec(command: readonly string[] = [], options: SpecOptions = {}): Promise<Spec> {
  checkArgument('command', command, may.texts);
  const checked = checkOptions(options, specShape);
  const { rootless, rootfs, writable = false, terminal = false, hostname, env = {}, signal } = checked;
  const choices = {
    ...{ command, rootfs, writable, terminal, hostname },
    rootless: rootless ?? process.geteuid?.() !== 0,
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
  };
  return runJob('spec', choices, signal);
}

const specShape: Shape<SpecOptions> = {
  ...{ rootless: may.flag, rootfs: may.text, writable: may.flag, terminal: may.flag },
  ...{ hostname: may.text, env: may.variables, ...abortable },
};

/**
 * Returns what create would do, op by op, as `tsrun plan` prints it; changes nothing.
 *
 * @throws TsrunError `EINVALIDSPEC` for what this host, or tsrun, cannot honour
 */
export async function plan(given: SubjectOptions & Abortable): Promise<Plan> {
  const options = checkOptions(given, questionShape);
  return runJob('plan', subjectOf(options, rootOf({})), options.signal);
}

/** Checks whether a bundle is right and this host can run it, which is so if there are no `errors`. Changes nothing. */
export async function check(given: SubjectOptions & Abortable): Promise<Omit<Report, 'text'>> {
  const options = checkOptions(given, questionShape);
  return runJob('check', subjectOf(options, rootOf({})), options.signal);
}

/** What this runtime can do (features.md), whatever the host supports. */
export async function features(options: Abortable = {}): Promise<Features> {
  const { signal } = checkOptions(options, abortable);
  return runJob('features', undefined, signal);
}
