/** Breaks the system calls of a command one after another, and looks at the results. */
import { Random } from '../fuzz/random.ts';
import { Sandbox } from '../harness/sandbox.ts';
import { describe, type Fault, faultsAt, Injector } from './injector.ts';
import { isOfNode, judgeCommand, judgeEnd, judgeFailure, judgeState, judgeSuccess, type Verdict } from './judge.ts';
import { Place } from './place.ts';
import type { Scenario } from './scenarios.ts';

export interface Finding extends Verdict {
  scenario: string;
  fault: Fault;
  /** The call with its strings, and the command's output. */
  where: string;
  said: string;
}

export interface Outcome {
  scenario: string;
  errors: number;
  kills: number;
  /** Number of cases whose call was not made. */
  missed: number;
  findings: Finding[];
}

/** All cases of a scenario, in a stable order. */
export async function casesOf(scenario: Scenario, box: Sandbox): Promise<Fault[]> {
  const place = placeFor(scenario, box);
  await scenario.prepare(place);
  const calls = await new Injector(box.directory, box.root).count(scenario.whose, scenario.args(place));
  await judgeEnd(place);
  return faultsAt(calls);
}

/** Runs all chosen cases. */
export async function sweep(scenario: Scenario, box: Sandbox, chosen: readonly Fault[]): Promise<Outcome> {
  const place = placeFor(scenario, box);
  const injector = new Injector(box.directory, box.root);
  const outcome: Outcome = { scenario: scenario.name, errors: 0, kills: 0, missed: 0, findings: [] };
  for (const fault of chosen) {
    const { injected, verdicts } = await runCase(scenario, place, injector, fault);
    if (!injected.fired) outcome.missed++;
    else if (fault.how === 'kill') outcome.kills++;
    else outcome.errors++;
    const { where, stderr } = injected;
    for (const verdict of verdicts) {
      outcome.findings.push({ ...verdict, scenario: scenario.name, fault, where, said: stderr.trim() });
    }
  }
  return outcome;
}

/** Runs the chosen cases of a scenario in several places at once. */
export async function sweepInParallel(
  scenario: Scenario,
  jobs: number,
  choose: (all: readonly Fault[]) => readonly Fault[],
): Promise<Outcome> {
  const teardowns: (() => unknown)[] = [];
  const boxes = Array.from({ length: jobs }, () => new Sandbox({ teardown: (undo) => teardowns.push(undo) }));
  const total: Outcome = { scenario: scenario.name, errors: 0, kills: 0, missed: 0, findings: [] };
  try {
    const chosen = choose(await casesOf(scenario, boxes[0] as Sandbox));
    const part = (job: number) => chosen.filter((_, i) => i % jobs === job);
    for (const one of await Promise.all(boxes.map((box, job) => sweep(scenario, box, part(job))))) {
      total.errors += one.errors;
      total.kills += one.kills;
      total.missed += one.missed;
      total.findings.push(...one.findings);
    }
  } finally {
    await tearDown(teardowns, total);
  }
  return total;
}

/** What a case has left is reported already, and must not stop the other scenarios. */
async function tearDown(teardowns: readonly (() => unknown)[], { findings }: Outcome): Promise<void> {
  for (const undo of teardowns) {
    try {
      await undo();
    } catch (error) {
      if (findings.length === 0) throw error;
      console.error((error as Error).message);
    }
  }
}

function placeFor(scenario: Scenario, box: Sandbox): Place {
  return new Place(
    box,
    box.bundle((spec) => {
      spec.process.args = ['/bin/sleep', '1000'];
      scenario.config?.(spec);
    }),
  );
}

async function runCase(scenario: Scenario, place: Place, injector: Injector, fault: Fault) {
  place.look();
  await scenario.prepare(place);
  const injected = await injector.inject(fault, scenario.whose, scenario.args(place));
  const verdicts: Verdict[] = [];
  const add = (verdict: Verdict | undefined) => {
    if (verdict !== undefined) verdicts.push(verdict);
  };
  add(judgeCommand(fault, scenario, injected));
  if (injected.code === 0) add(await judgeSuccess(scenario, place, injected));
  else if (!wasKilled(fault, scenario) && !isOfNode(injected)) add(await judgeFailure(scenario, place));
  add(await judgeState(place));
  add(await judgeEnd(place));
  if (verdicts.length > 0) await place.clear();
  return { injected, verdicts };
}

/** A killed command need not have undone its work. */
function wasKilled(fault: Fault, scenario: Scenario): boolean {
  return fault.how === 'kill' && scenario.whose === 'own';
}

/** `count` of all cases, spread evenly; all if there are no more. */
export function sample(all: readonly Fault[], count: number): Fault[] {
  if (count >= all.length) return [...all];
  return Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)] as Fault);
}

/** `count` of all cases, chosen by the seed. */
export function randomSample(all: readonly Fault[], count: number, seed: number): Fault[] {
  const left = [...all];
  const random = new Random(seed);
  return Array.from(
    { length: Math.min(count, left.length) },
    () => left.splice(random.below(left.length), 1)[0] as Fault,
  );
}

export function sentence({ kind, scenario, fault, where, said, words }: Finding): string {
  const call = where.replace(/^\d+ /, '');
  return `${kind}  ${scenario}: ${describe(fault)} (${call}): ${words.trim()}${said === '' ? '' : ` | said: ${said}`}`;
}
