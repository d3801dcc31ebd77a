/** `npm run soak`: see scripts/soak.mjs. */
import { Sandbox } from '../harness/sandbox.ts';
import { soak } from './soak.ts';

const [containers = 20_000, atOnce = 8] = process.argv.slice(2).map(Number);
const teardowns: (() => unknown)[] = [];
const box = new Sandbox({ teardown: (undo) => teardowns.push(undo) });
const started = performance.now();
const { before, after, faults } = await soak(box, containers, atOnce, (number) => {
  if (number % 1000 === 0) console.error(`${number} of ${containers}`);
});
console.log(`${containers} containers, ${atOnce} at once, in ${Math.round((performance.now() - started) / 1000)} s`);
console.table({ before, after });
for (const fault of faults) console.log(fault);
for (const undo of teardowns) await undo();
process.exit(faults.length === 0 ? 0 : 1);
