import t from 'tap';
import type { LinuxIntelRdt } from '../../../../src/generated/spec.ts';
import { type FullSpec, opsOf, planOf, refusalOf } from '../lowering.ts';

const mount = '/sys/fs/resctrl';

function rdt(intelRdt: LinuxIntelRdt) {
  return (spec: FullSpec) => {
    spec.linux.intelRdt = intelRdt;
  };
}

/** The join-resctrl op of a config. */
function join(intelRdt: LinuxIntelRdt): object | undefined {
  return opsOf(planOf(rdt(intelRdt)), 'join-resctrl')[0];
}

t.test('without intelRdt resctrl is left alone', async (t) => {
  t.same(
    opsOf(
      planOf(() => {}, { resctrl: null }),
      'join-resctrl',
    ),
    [],
  );
});

t.test('the group is closID, or the id of the container', async (t) => {
  t.match(join({ closID: 'gold', memBwSchema: 'MB:0=50' }), { directory: `${mount}/gold`, mustExist: false });
  t.match(join({ memBwSchema: 'MB:0=50' }), { directory: `${mount}/c1`, mustExist: false });
  t.match(join({}), { directory: `${mount}/c1`, mustExist: false, schemata: [] });
  t.match(join({ closID: '/' }), { directory: mount, mustExist: true });
});

t.test('the group of a closID without schemata must exist', async (t) => {
  t.match(join({ closID: 'gold' }), { mustExist: true, schemata: [] });
});

t.test('l3CacheSchema and memBwSchema are one write, schemata a later one', async (t) => {
  t.match(join({ l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=50', schemata: ['L2:0=f', 'L3:1=f'] }), {
    schemata: ['L3:0=f\nMB:0=50\n', 'L2:0=f\nL3:1=f\n'],
  });
  t.match(join({ l3CacheSchema: 'L3:0=f\nMB:0=20', memBwSchema: 'MB:0=50' }), { schemata: ['L3:0=f\nMB:0=50\n'] });
  t.match(join({ l3CacheSchema: 'L3:0=f\nMB:0=20' }), { schemata: ['L3:0=f\nMB:0=20\n'] });
});

t.test('monitoring has a group of its own below', async (t) => {
  t.match(join({ closID: 'gold', enableMonitoring: true }), { monitoring: `${mount}/gold/mon_groups/c1` });
  t.match(join({ closID: 'gold' }), { monitoring: null });
});

t.test('what this host does not have is refused by name', async (t) => {
  t.match(refusalOf(rdt({}), { resctrl: null }), /^\/linux\/intelRdt: the resctrl filesystem is not mounted/);
  const poor = { resctrl: { mount, resources: ['L3'], monitoring: false } };
  t.match(
    refusalOf(rdt({ memBwSchema: 'MB:0=50' }), poor),
    /^\/linux\/intelRdt\/memBwSchema: this host has no resource "MB"/,
  );
  t.match(
    refusalOf(rdt({ schemata: ['L3:0=f', 'L2:0=f'] }), poor),
    /^\/linux\/intelRdt\/schemata: this host has no resource "L2"/,
  );
  t.match(refusalOf(rdt({ enableMonitoring: true }), poor), /^\/linux\/intelRdt\/enableMonitoring: /);
  t.match(refusalOf(rdt({ closID: 'info' })), /^\/linux\/intelRdt\/closID: resctrl reserves info for itself/);
});
