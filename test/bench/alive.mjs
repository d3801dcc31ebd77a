/**
 * How long commands take that look at containers while many are alive: one runtime after another, each with its own
 * containers.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';

const count = 1000;
const looks = 7;

/** @returns figure -> contestant -> samples; runc, which takes a minute to make as many, is left out */
export async function alive({ contestants, state, bundles, timer }) {
  const samples = {};
  for (const [name, command] of Object.entries(contestants).filter(([name]) => name !== 'runc')) {
    const root = path.join(state, `alive-${name}`);
    const runtime = [...command, '--root', root];
    const ids = Array.from({ length: count }, (_, number) => `a${number}-${name}`);
    try {
      await makeAll(runtime, ids, bundles, timer);
      for (let round = 0; round < looks; round++) {
        for (const args of [['list'], ['list', '-q'], ['ps', ids[0]]]) {
          const figure = `${[args[0], ...args.filter((arg) => arg === '-q')].join(' ')}, ${count.toLocaleString('en')} containers alive`;
          samples[figure] ??= {};
          samples[figure][name] ??= [];
          samples[figure][name].push(await timer.time([...runtime, ...args]));
        }
      }
    } finally {
      for (const id of ids) await timer.time([...runtime, 'delete', '--force', id]);
      rmSync(root, { recursive: true, force: true });
    }
  }
  return samples;
}

async function makeAll(runtime, ids, bundles, timer) {
  for (const id of ids) {
    const bundle = bundles.make('alive', id, ['/bin/sleep', '100000']);
    await timer.time([...runtime, 'run', '--detach', '--bundle', bundle, id]);
  }
}
