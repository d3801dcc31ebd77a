/** Random lists of device rules: their program allows exactly what a simple reading of the list allows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { deviceProgram } from '../../src/cgroup/device-program.ts';
import type { DeviceRule } from '../../src/generated/ops.ts';
import { formatDeviceRule, parseDeviceRule } from '../../src/linux/device-rules.ts';
import { repoRoot } from '../harness/host.ts';
import { permits } from '../unit/cgroup/permits.ts';
import { Random, rounds } from './random.ts';

type Device = readonly [type: 'b' | 'c', major: number, minor: number];

const corpus = join(repoRoot, 'test/fuzz/corpus/devices');
/** Few, so that rules overlap. */
const numbers = [0, 1, 3, 5, 8, 136, 0x7fff_ffff, 0xffff_ffff];
const accesses = ['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'] as const;

/** For each kind of access, the last rule that matches the device and names the access decides. */
function allows(rules: readonly DeviceRule[], [type, major, minor]: Device, access: string): boolean {
  return [...access].every((letter) => {
    const last = rules.findLast(
      (rule) =>
        (rule.type === 'a' || rule.type === type) &&
        (rule.major ?? major) === major &&
        (rule.minor ?? minor) === minor &&
        rule.access.includes(letter),
    );
    return last?.allow ?? false;
  });
}

function ruleOf(random: Random): DeviceRule {
  return {
    allow: random.once(2),
    type: random.pick(['a', 'b', 'c'] as const),
    major: random.once(3) ? null : random.pick(numbers),
    minor: random.once(3) ? null : random.pick(numbers),
    access: random.pick(accesses),
  };
}

/** A list of the corpus with some changes, or a new one. */
function listOf(random: Random, seeds: readonly DeviceRule[][]): DeviceRule[] {
  // Long lists are compiled to a search.
  if (random.once(2)) return Array.from({ length: random.below(random.once(2) ? 30 : 150) }, () => ruleOf(random));
  const list = [...random.pick(seeds)];
  for (let times = random.below(4); times > 0; times--) {
    list.splice(random.below(list.length + 1), random.below(2), ruleOf(random));
  }
  return list;
}

/** Mostly a device that a rule names. */
function deviceOf(random: Random, rules: readonly DeviceRule[]): Device {
  const rule = rules.length > 0 && !random.once(4) ? random.pick(rules) : undefined;
  return [random.pick(['b', 'c'] as const), rule?.major ?? random.pick(numbers), rule?.minor ?? random.pick(numbers)];
}

t.test('device rules', async (t) => {
  const seeds = readdirSync(corpus).map((name) =>
    readFileSync(join(corpus, name), 'utf8').trim().split('\n').map(parseDeviceRule),
  );
  let allowed = 0;
  const count = rounds(2000);
  const asked = 20;
  for (let round = 0; round < count; round++) {
    const random = new Random(round);
    const rules = listOf(random, seeds);
    const program = Buffer.from(deviceProgram(rules).instructions);
    for (let times = 0; times < asked; times++) {
      const device = deviceOf(random, rules);
      const access = random.pick(accesses);
      const [wanted, found] = [allows(rules, device, access), permits(program, ...device, access)];
      if (wanted !== found) {
        t.fail(`round ${round}: ${device} ${access}: ${found}, by ${rules.map(formatDeviceRule).join('; ')}`);
      }
      if (found) allowed++;
    }
  }
  t.ok(allowed > count && allowed < count * asked, `${allowed} of ${count * asked} are let through`);
});
