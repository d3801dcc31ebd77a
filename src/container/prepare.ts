import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type LoadedBundle, loadBundle } from '../config/load.ts';
import { placing } from '../config/locate.ts';
import { exactIntegers } from '../config/read/exact-integers.ts';
import type { SpecSource } from '../config/validate/places.ts';
import { TsrunError } from '../errors.ts';
import type { Spec } from '../generated/spec.ts';
import { gatherHostFacts } from '../host/facts.ts';
import { nearPath } from '../host/near-path.ts';
import type { LowerOptions } from '../lower/context.ts';
import { lower } from '../lower/create-plan.ts';
import { rootfsPath } from '../lower/mounts/rootfs-path.ts';
import type { Plan } from '../plan/plan.ts';
import { traceStep } from '../run/trace.ts';

export interface Prepared {
  spec: Spec;
  /** config.json as it was read. */
  source: SpecSource;
  plan: Plan;
}

/**
 * Reads config.json and makes the plan, changing nothing; create, run and plan share this. Oddities of the config are
 * logged; the plan's findings are left for the caller to report.
 *
 * @param config absolute path of a file to read instead of the bundle's config.json
 * @param tty gives the container a terminal, whatever the config says
 * @param host the same for plans that are compared, as what this process changes about itself shows in it, too
 */
export function prepare(options: LowerOptions, config?: string, tty = false, host = gatherHostFacts()): Prepared {
  return prepareLoaded(loadBundle(options.bundle, config, traceStep), options, tty, host);
}

/** The same for a config that has been read already, or comes from elsewhere. */
export function prepareLoaded(
  { spec, source }: LoadedBundle,
  options: LowerOptions,
  tty = false,
  host = gatherHostFacts(),
): Prepared {
  if (tty && spec.process !== undefined) spec.process.terminal = true;
  const plan = placing(source, () => {
    return traceStep('lower', 'config', () =>
      lower(spec, host, { ...options, exactInteger: exactIntegers(source.text) }),
    );
  });
  return { spec, source, plan };
}

/**
 * config.md, Root: "A directory MUST exist at the path". Checked here, because init could only say that something is
 * missing.
 */
export function demandRootfs(spec: Spec, options: Pick<LowerOptions, 'id' | 'bundle'>): void {
  const path = rootfsPath({ spec, options });
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  const what = found === undefined ? 'does not exist' : 'is not a directory';
  throw new TsrunError(`invalid rootfs: ${path} ${what}`, {
    about: '/root/path',
    hint: nearPath(path) ?? `/root/path is relative to the bundle ${resolve(options.bundle)}`,
  });
}
