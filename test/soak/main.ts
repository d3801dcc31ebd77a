/** `npm run soak`: see scripts/soak.mjs. */
import { Sandbox } from '../harness/sandbox.ts';
import { ShimClient } from '../harness/shim-client.ts';
import { soakPods, soakShim } from './shim.ts';
import { soak } from './soak.ts';

const words = process.argv.slice(2);
const [first, second] = words.filter((word) => !word.startsWith('--')).map(Number);
const teardowns: (() => unknown)[] = [];
const t = { teardown: (undo: () => unknown) => void teardowns.unshift(undo) };
const box = new Sandbox(t);
const started = performance.now();
const faults = words.includes('--shim') ? await ofShim(words.includes('--pods')) : await ofCommands();
for (const fault of faults) console.log(fault);
for (const undo of teardowns) await undo();
process.exit(faults.length === 0 ? 0 : 1);

async function ofCommands(containers = first ?? 20_000, atOnce = second ?? 8): Promise<string[]> {
  const { before, after, faults } = await soak(box, containers, atOnce, (number) => tell(number, containers));
  print(`${containers} containers, ${atOnce} at once`, { before, after });
  return faults;
}

async function ofShim(withPods: boolean): Promise<string[]> {
  const client = await ShimClient.start(t, box);
  const [many, more] = withPods ? [first ?? 100, second ?? 600] : [first ?? 1000, second ?? 8];
  const run = withPods ? soakPods : soakShim;
  const total = withPods ? more : many;
  const { before, after, samples, faults } = await run(box, client, many, more, (number) => tell(number, total));
  print(withPods ? `${many} pods for ${more} s` : `${many} containers of the shim, ${more} at once`, { before, after });
  console.table(samples);
  return faults;
}

function tell(number: number, total: number): void {
  if (number % 1000 === 0 || total < 1000) console.error(`${number} of ${total}`);
}

function print(title: string, figures: object): void {
  console.log(`${title}, in ${Math.round((performance.now() - started) / 1000)} s`);
  console.table(figures);
}
