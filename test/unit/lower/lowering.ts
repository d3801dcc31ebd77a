/** Lowering in tests: the default config with an edit, on a host of the test's choice. */

import { TsrunError } from '../../../src/errors.ts';
import type { Op } from '../../../src/generated/ops.ts';
import type { Linux, Process, Spec } from '../../../src/generated/spec.ts';
import type { HostFacts } from '../../../src/host/facts.ts';
import { lower } from '../../../src/lower/create-plan.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { defaultSpec } from '../../../src/template/template.ts';
import { capableHost } from './host.ts';

/** A Spec with a process and a Linux section. */
export type FullSpec = Spec & { process: Process; linux: Linux };

export function planOf(edit: (spec: FullSpec) => void, host: Partial<HostFacts> = {}): Plan {
  const spec = defaultSpec() as FullSpec;
  edit(spec);
  return lower(spec, capableHost(host), { id: 'c1', bundle: '/bundle' });
}

/** The plan's ops of one name, without what all ops have. */
export function opsOf(plan: Plan, name: Op['op']): object[] {
  return plan.ops.filter(({ op }) => op === name).map(({ op: _op, by: _by, ...rest }) => rest);
}

/** The error with which lowering refuses the config. */
export function refusalOf(edit: (spec: FullSpec) => void, host: Partial<HostFacts> = {}): string {
  try {
    planOf(edit, host);
  } catch (error) {
    if (error instanceof TsrunError) return error.asLine;
    throw error;
  }
  throw new Error('the config was not refused');
}

/** A kernel of this version. */
export function kernel(major: number, minor: number): Partial<HostFacts> {
  return { kernel: { release: `${major}.${minor}.0-test`, major, minor } };
}
