import t from 'tap';
import { deviceProgram } from '../../../src/cgroup/device-program.ts';
import {
  defaultDeviceRules,
  deviceRulesOf,
  formatDeviceRule,
  parseDeviceRule,
} from '../../../src/linux/device-rules.ts';
import { permits } from './permits.ts';

const compile = (...rules: string[]) => Buffer.from(deviceProgram(rules.map(parseDeviceRule)).instructions);

t.test('without a matching rule access is refused', async (t) => {
  t.notOk(permits(compile(), 'c', 1, 3, 'r'));
  t.notOk(permits(compile('allow c 1:3 r'), 'c', 1, 5, 'r'));
  t.notOk(permits(compile('allow c 1:3 r'), 'b', 1, 3, 'r'));
});

t.test('the last matching rule decides', async (t) => {
  const program = compile('deny a *:* rwm', 'allow b *:* rw', 'deny b 8:* w', 'allow b 8:1 w');
  t.ok(permits(program, 'b', 9, 0, 'rw'));
  t.notOk(permits(program, 'b', 8, 0, 'w'));
  t.ok(permits(program, 'b', 8, 0, 'r'));
  t.ok(permits(program, 'b', 8, 1, 'rw'));
  t.notOk(permits(program, 'c', 8, 1, 'r'));
});

t.test('access is put together from several rules', async (t) => {
  const program = compile('allow c 10:200 r', 'allow c 10:200 w');
  t.ok(permits(program, 'c', 10, 200, 'rw'));
  t.notOk(permits(program, 'c', 10, 200, 'rwm'));
});

t.test('a rule that denies one access denies accesses that include it', async (t) => {
  const program = compile('allow a *:* rwm', 'deny c 1:1 w');
  t.notOk(permits(program, 'c', 1, 1, 'rw'));
  t.ok(permits(program, 'c', 1, 1, 'r'));
  t.ok(permits(program, 'c', 1, 3, 'rw'));
});

t.test('a rule for everything overrides the rules before it', async (t) => {
  const program = compile('allow c 1:1 rwm', 'deny a *:* rwm');
  t.notOk(permits(program, 'c', 1, 1, 'r'));
  t.equal(program.length, compile('deny a *:* rwm').length);
});

t.test('the largest device numbers', async (t) => {
  const program = compile('allow c 4294967295:4294967294 r');
  t.ok(permits(program, 'c', 4294967295, 4294967294, 'r'));
  t.notOk(permits(program, 'c', 4294967295, 4294967293, 'r'));
});

t.test('the default rules open the default devices and nothing else', async (t) => {
  const program = Buffer.from(
    deviceProgram([...deviceRulesOf([{ allow: false, access: 'rwm' }]), ...defaultDeviceRules]).instructions,
  );
  for (const [major, minor] of [
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
    [136, 17],
    [10, 200],
  ] as const)
    t.ok(permits(program, 'c', major, minor, 'rw'), `${major}:${minor}`);
  t.ok(permits(program, 'b', 8, 0, 'm'));
  t.notOk(permits(program, 'b', 8, 0, 'r'));
  t.notOk(permits(program, 'c', 1, 1, 'r'));
});

t.test('in a rule of the config, what is left out means all', async (t) => {
  const rules = deviceRulesOf([{ allow: true }, { allow: true, type: 'b', major: 8, minor: -1, access: 'r' }]);
  t.strictSame(rules.map(formatDeviceRule), ['allow a *:* rwm', 'allow b 8:* r']);
  t.throws(() => deviceRulesOf([{ allow: true, minor: -2 }]), /^\/linux\/resources\/devices\/0\/minor: -2/);
});

t.test('text that is not a rule is refused', async (t) => {
  for (const text of ['', 'allow', 'allow c 1:3', 'permit c 1:3 r', 'allow u 1:3 r', 'allow c 1:3 x'])
    t.throws(() => parseDeviceRule(text), /not a device rule/, text);
});

/** Rules that alternate, so that no two neighbours have the same effect. */
const alternating = (count: number, device: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => `allow c ${device(i)} ${i % 2 === 0 ? 'r' : 'rw'}`);

for (const [what, device] of [
  ['minors of one major', (i: number) => `10:${i}`],
  ['majors', (i: number) => `${i}:7`],
  ['both', (i: number) => `${i % 100}:${i}`],
] as const) {
  t.test(`twenty thousand rules of different ${what}`, async (t) => {
    const program = compile('deny a *:* rwm', ...alternating(20_000, device));
    for (const i of [0, 1, 7999, 8000, 8001, 15_999, 19_998, 19_999]) {
      const [major, minor] = device(i).split(':').map(Number) as [number, number];
      t.ok(permits(program, 'c', major, minor, 'r'), `read ${device(i)}`);
      t.equal(permits(program, 'c', major, minor, 'w'), i % 2 === 1, `write ${device(i)}`);
      t.notOk(permits(program, 'b', major, minor, 'r'));
    }
    t.notOk(permits(program, 'c', 10, 20_000, 'r'));
    t.notOk(permits(program, 'c', 20_000, 7, 'r'));
  });
}

t.test('lists of most containers give the same few programs', async (t) => {
  const defaults = deviceProgram(defaultDeviceRules);
  t.ok(defaults.shared);
  const denial = { allow: false, access: 'rwm' };
  const again = [
    { allow: true, type: 'c' as const, major: 1, minor: 3, access: 'rwm' },
    { allow: true, type: 'c' as const, major: 136, access: 'rwm' },
  ];
  for (const given of [[denial], again, [denial, ...again], [{ allow: true }, denial]]) {
    const program = deviceProgram([...deviceRulesOf(given), ...defaultDeviceRules]);
    t.strictSame(program, defaults, JSON.stringify(given));
  }
  const docker = [denial, ...again, { allow: true, type: 'c' as const, major: 5, minor: 1, access: 'rwm' }];
  const dockers = deviceProgram([...deviceRulesOf(docker), ...defaultDeviceRules]);
  t.ok(dockers.shared);
  t.ok(permits(Buffer.from(dockers.instructions), 'c', 5, 1, 'rw'));
  for (const given of [
    [{ allow: true }],
    [{ ...again[0], access: 'r' }],
    [{ allow: false, type: 'c', major: 1, minor: 3 }],
  ]) {
    const program = deviceProgram([...deviceRulesOf(given as never), ...defaultDeviceRules]);
    t.notOk(program.shared, JSON.stringify(given));
    t.notSame(program.instructions, defaults.instructions);
  }
});
