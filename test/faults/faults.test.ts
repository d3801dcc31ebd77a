/**
 * A sample of `npm run test:faults`: some cases of each scenario, the same in each run, so that only a change can break
 * one. TSRUN_FAULTS_SEED=N chooses others.
 */
import t from 'tap';
import { hasCHelpers } from '../harness/c-helper.ts';
import { requires } from '../harness/index.ts';
import { scenarios } from './scenarios.ts';
import { randomSample, sentence, sweepInParallel } from './sweep.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun' }) || (!hasCHelpers() && 'needs gcc');
const seed = Number(process.env.TSRUN_FAULTS_SEED ?? 1);
const casesOfEach = 12;
/** All cases of calls in which the whole sweep has found faults that the sample may miss. */
const found: Record<string, string[]> = { 'delete --force': ['pipe2'], update: ['write'] };

for (const scenario of scenarios) {
  t.test(`${scenario.name} (TSRUN_FAULTS_SEED=${seed})`, { skip, timeout: 0 }, async (t) => {
    const outcome = await sweepInParallel(scenario, 2, (all) => [
      ...randomSample(all, casesOfEach, seed),
      ...all.filter(({ call }) => found[scenario.name]?.includes(call)),
    ]);
    t.ok(outcome.errors + outcome.kills > 0, `${outcome.errors} errors, ${outcome.kills} kills`);
    t.same(outcome.findings.map(sentence), []);
  });
}
