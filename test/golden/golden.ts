/** Compares printed plans with files: a change of what a config does shows as a diff of text. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Linux, Spec } from '../../src/generated/spec.ts';
import type { HostFacts } from '../../src/host/facts.ts';
import { lower } from '../../src/lower/create-plan.ts';
import { printOp, printPlan } from '../../src/plan/print.ts';
import { defaultSpec } from '../../src/template/template.ts';
import { repoRoot } from '../harness/host.ts';
import { capableHost } from '../unit/lower/host.ts';

/** What `tsrun spec` writes, with a Linux section. */
export type EditableSpec = Spec & { process: NonNullable<Spec['process']>; linux: Linux };

/** The plan of the default config after an edit: the lines of `tsrun plan --all`, in their order. */
export function planOf(edit: (spec: EditableSpec) => void, host: Partial<HostFacts> = {}): string {
  const spec = defaultSpec() as EditableSpec;
  edit(spec);
  const plan = lower(spec, capableHost(host), { id: 'c1', bundle: '/bundle' });
  const lines = plan.ops.map((op, index) => `${String(index).padStart(3)} ${printOp(op, { all: true })}\n`);
  return lines.join('') + printPlan({ ...plan, ops: [] }, { all: true });
}

/**
 * Compares a text with test/golden/plans/NAME.txt. TSRUN_UPDATE_GOLDEN=1 in the environment writes the file instead;
 * read its diff before you commit it.
 */
export function golden(t: Test, name: string, text: string): void {
  const path = join(repoRoot, 'test/golden/plans', `${name}.txt`);
  if (process.env.TSRUN_UPDATE_GOLDEN === '1') writeFileSync(path, text);
  t.equal(text, readFileSync(path, 'utf8'), `differs from ${path}: TSRUN_UPDATE_GOLDEN=1 takes it over`);
}

/** The lines of a plan whose op is one of these, without their numbers. */
export function only(plan: string, ops: readonly string[]): string {
  const lines = plan.split('\n').map((line) => line.replace(/^ *\d+ /, ''));
  return `${lines.filter((line) => ops.includes(line.split(/\s+/)[1] ?? '')).join('\n')}\n`;
}

/**
 * The lines of a plan from the first op whose name is one of `from` to the first named `to`, without their numbers. The
 * rest is not the point, and would make the file change with everything else.
 */
export function part(plan: string, from: readonly string[], to: string): string {
  const lines = plan.split('\n').map((line) => line.replace(/^ *\d+ /, ''));
  const name = (line: string) => line.split(/\s+/)[1] ?? '';
  const start = lines.findIndex((line) => from.includes(name(line)));
  const end = lines.findIndex((line) => name(line) === to);
  return `${lines.slice(start, end + 1).join('\n')}\n`;
}
