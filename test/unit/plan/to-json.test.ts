import t from 'tap';
import type { DeviceRule, UnitProperty } from '../../../src/generated/ops.ts';
import { formatDeviceRule } from '../../../src/linux/device-rules.ts';
import { lower } from '../../../src/lower/create-plan.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { planToJson } from '../../../src/plan/to-json.ts';
import { formatProperty } from '../../../src/systemd/property.ts';
import { everythingPossible } from '../lower/everything.ts';
import { capableHost } from '../lower/host.ts';

/** Each value on its own, which is slower. */
function converted(name: string, value: unknown): unknown {
  if (name === 'rules') return (value as DeviceRule[]).map(formatDeviceRule);
  if (name === 'properties') return (value as UnitProperty[]).map(formatProperty);
  if (typeof value === 'bigint') return value > 2n ** 53n - 1n ? String(value) : Number(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

for (const cgroupManager of ['cgroupfs', 'systemd'] as const) {
  t.test(`a plan of everything, with ${cgroupManager}`, async (t) => {
    const spec = everythingPossible();
    if (cgroupManager === 'systemd') Object.assign(spec.linux ?? {}, { cgroupsPath: 'a.slice:b:c' });
    const plan = lower(spec, capableHost({}), { id: 'c1', bundle: '/bundle', cgroupManager });
    const { ops } = JSON.parse(planToJson(plan));
    t.same(ops, JSON.parse(JSON.stringify(plan.ops, converted)));
    t.equal(planToJson(plan), `${JSON.stringify(JSON.parse(planToJson(plan)), null, 2)}\n`);
  });
}

t.test('large numbers, bytes and findings', async (t) => {
  const ops = [
    { op: 'set-user', by: 'init', from: 'default', uid: 2n ** 63n, gid: 5n, groups: [2n ** 53n, 1] },
    { op: 'set-own-cpu-affinity', by: 'init', from: 'default', mask: new Uint8Array([1, 2, 255]) },
  ];
  const warnings = [{ pointer: '/mounts/3', message: 'no effect' }];
  const plan = { ops, warnings, notes: [{ pointer: '', message: 'a note' }] } as unknown as Plan;
  t.same(JSON.parse(planToJson(plan)), {
    ops: [
      { ...ops[0], uid: '9223372036854775808', gid: 5, groups: ['9007199254740992', 1] },
      { ...ops[1], mask: 'AQL/' },
    ],
    warnings: ['/mounts/3: no effect'],
    notes: ['a note'],
  });
});
