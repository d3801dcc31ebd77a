/**
 * Makes thousands of containers, some at once, with kills, updates and pauses in between, and looks at what is left of
 * them.
 */
import { join } from 'node:path';
import type { Bundle } from '../harness/bundle.ts';
import { cHelper } from '../harness/c-helper.ts';
import { run, sleep } from '../harness/process.ts';
import { runtimePath } from '../harness/runtime.ts';
import type { Sandbox } from '../harness/sandbox.ts';
import { type Figures, figures, grown } from './figures.ts';

export interface Soaked {
  before: Figures;
  after: Figures;
  /** What has grown, and commands that failed; empty if all is well. */
  faults: string[];
}

type Step = (box: Sandbox, id: string, bundle: Bundle) => Promise<unknown>;

/** Allows one more device, so that a device program replaces another. */
const update: Step = (box, id) => box.runtimeOk(['update', '--device', 'c 10:229 rw', id], quiet(box, id));

/** What happens to a container while it runs; each container gets the next step. */
const steps: readonly Step[] = [
  update,
  (box, id) => box.runtimeOk(['exec', id, '/bin/true'], quiet(box, id)),
  (box, id) => box.runtimeOk(['kill', id, 'KILL'], quiet(box, id)),
  async (box, id) => {
    await box.runtimeOk(['pause', id], quiet(box, id));
    await box.runtimeOk(['resume', id], quiet(box, id));
  },
  (box, id) => box.runtimeOk(['kill', '--all', id, 'KILL'], quiet(box, id)),
  (box, id) => box.runtimeOk(['exec', '--detach', id, '/bin/sleep', '1000'], quiet(box, id)),
  (box, id) => box.runtimeOk(['pause', id], quiet(box, id)),
];

/** One in so many containers is made by a command that is killed meanwhile. */
const oneIsKilled = 10;
/** About the number of calls of openat that `run --detach` makes, at one of which it is killed. */
const placesToDie = 24;

/** Tries, 100 ms each, until the kernel has freed what it frees later (RCU, work queues). */
const triesToSettle = 600;

/** @param progress called after every hundredth container */
export async function soak(box: Sandbox, containers: number, atOnce: number, progress = (_: number) => {}) {
  const lanes = Array.from({ length: atOnce }, () =>
    box.bundle((spec) => {
      spec.process.args = ['/bin/sleep', '1000'];
    }),
  );
  const faults: string[] = [];
  let next = 0;
  const lane = async (bundle: Bundle, until: number) => {
    while (next < until) {
      const number = next++;
      await life(box, bundle, number).catch((error) => faults.push(`container ${number}: ${error.message}`));
      if (number % 100 === 0) progress(number);
    }
  };
  // What the first containers make stays: parent cgroups, caches of the kernel.
  await Promise.all(lanes.map((bundle) => lane(bundle, atOnce * 4)));
  const before = await settled(box, () => true);
  await Promise.all(lanes.map((bundle) => lane(bundle, containers)));
  const after = await settled(box, (now) => grown(before, now, containers).length === 0);
  return { before, after, faults: [...faults, ...grown(before, after, containers)] } satisfies Soaked;
}

async function life(box: Sandbox, bundle: Bundle, number: number): Promise<void> {
  const id = `${box.cgroup.slice(1)}-s${number}`;
  if (number % oneIsKilled === 0) await dieStarting(box, bundle, id, number);
  else {
    await box.runtimeOk(['run', '--detach', '--bundle', bundle.directory, id], quiet(box, id));
    await (steps[number % steps.length] as Step)(box, id, bundle);
  }
  await box.runtimeOk(['delete', '--force', id], quiet(box, id));
}

/** The command is killed at its Nth openat, another N each time. */
async function dieStarting(box: Sandbox, bundle: Bundle, id: string, number: number): Promise<void> {
  const nth = 1 + ((number / oneIsKilled) % placesToDie);
  const command = [runtimePath, '--root', box.root, 'run', '--detach', '--bundle', bundle.directory, id];
  await run(cHelper('inject'), ['--kill', `openat:${nth}`, '--report', '/dev/null', ...command], quiet(box, id));
}

/** Files that are used again, because nobody reads a container's output. */
function quiet(box: Sandbox, id: string) {
  return { outputFiles: join(box.directory, `output-${Number(id.replace(/.*-s/, '')) % 64}`) };
}

async function settled(box: Sandbox, isSo: (now: Figures) => boolean): Promise<Figures> {
  let now = figures(box);
  for (let tries = 0; tries < triesToSettle && (now.cgroups > 0 || !isSo(now)); tries++) {
    await sleep(100);
    now = figures(box);
  }
  return now;
}
