/** `npm run test:faults`: see scripts/faults.mjs. */

import { runtimeName } from '../harness/runtime.ts';
import { Sandbox } from '../harness/sandbox.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { casesOf, type Outcome, sample, sentence, sweep } from './sweep.ts';

const { cases, names, jobs } = options(process.argv.slice(2));
const chosen = scenarios.filter(({ name }) => names.length === 0 || names.includes(name));
const outcomes: Outcome[] = [];

for (const scenario of chosen) outcomes.push(await inParallel(scenario));
printTable();
process.exit(outcomes.some(({ findings }) => findings.length > 0) ? 1 : 0);

function options(args: string[]) {
  const number = (name: string, otherwise: number) => {
    const at = args.indexOf(name);
    return at < 0 ? otherwise : Number(args.splice(at, 2)[1]);
  };
  return { cases: number('--cases', Number.POSITIVE_INFINITY), jobs: number('--jobs', 2), names: args };
}

/** The cases of a scenario in turn over places of their own. */
async function inParallel(scenario: Scenario): Promise<Outcome> {
  const teardowns: (() => unknown)[] = [];
  const boxes = Array.from({ length: jobs }, () => new Sandbox({ teardown: (undo) => teardowns.push(undo) }));
  const total: Outcome = { scenario: scenario.name, errors: 0, kills: 0, missed: 0, findings: [] };
  try {
    const all = sample(await casesOf(scenario, boxes[0] as Sandbox), cases);
    const part = (job: number) => all.filter((_, i) => i % jobs === job);
    for (const one of await Promise.all(boxes.map((box, job) => sweep(scenario, box, part(job))))) {
      total.errors += one.errors;
      total.kills += one.kills;
      total.missed += one.missed;
      total.findings.push(...one.findings);
    }
  } finally {
    for (const undo of teardowns) await undo();
  }
  for (const finding of total.findings) console.log(sentence(finding));
  return total;
}

function printTable(): void {
  const kinds = [...new Set(outcomes.flatMap(({ findings }) => findings.map(({ kind }) => kind)))].sort();
  console.log(`\n| ${runtimeName} | errors | kills | ${kinds.join(' | ')}${kinds.length > 0 ? ' |' : ''}`);
  console.log(`|---|---|---|${'---|'.repeat(kinds.length)}`);
  const row = (name: string, some: Outcome[]) => {
    const sum = (of: (outcome: Outcome) => number) => some.reduce((total, outcome) => total + of(outcome), 0);
    const counts = kinds.map((kind) => sum(({ findings }) => findings.filter((one) => one.kind === kind).length));
    return `| ${[name, sum(({ errors }) => errors), sum(({ kills }) => kills), ...counts].join(' | ')} |`;
  };
  for (const outcome of outcomes) console.log(row(outcome.scenario, [outcome]));
  console.log(row('all', outcomes));
  const missed = outcomes.reduce((total, outcome) => total + outcome.missed, 0);
  if (missed > 0) console.log(`in ${missed} cases the call was not made`);
}
