/** `npm run test:faults`: see scripts/faults.mjs. */

import { runtimeName } from '../harness/runtime.ts';
import { scenarios } from './scenarios.ts';
import { type Outcome, sample, sentence, sweepInParallel } from './sweep.ts';

const { cases, call, names, jobs } = options(process.argv.slice(2));
const chosen = scenarios.filter(({ name }) => names.length === 0 || names.includes(name));
const outcomes: Outcome[] = [];

for (const scenario of chosen) {
  const outcome = await sweepInParallel(scenario, jobs, (all) => {
    const wanted = call === undefined ? all : all.filter((fault) => fault.call === call);
    return sample(wanted, cases);
  });
  for (const finding of outcome.findings) console.log(sentence(finding));
  console.error(`${scenario.name}: ${outcome.errors + outcome.kills} cases`);
  outcomes.push(outcome);
}
printTable();
process.exit(outcomes.some(({ findings }) => findings.length > 0) ? 1 : 0);

function options(args: string[]) {
  const value = (name: string) => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : args.splice(at, 2)[1];
  };
  const cases = Number(value('--cases') ?? Number.POSITIVE_INFINITY);
  return { cases, jobs: Number(value('--jobs') ?? 2), call: value('--call'), names: args };
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
