import t from 'tap';
import type { LinuxResources } from '../../../src/generated/spec.ts';
import { lowerCgroup } from '../../../src/lower/limits/cgroup.ts';
import { lowerResources } from '../../../src/lower/limits/resources.ts';
import { formatProperty } from '../../../src/systemd/property.ts';
import { annotatedProperties, oomPolicy, unitProperties } from '../../../src/systemd/unit-properties.ts';
import { capableHost } from '../lower/host.ts';

function settings(resources: LinuxResources) {
  return lowerResources(resources, capableHost().cgroup).settings.map(({ op }) => op);
}

function properties(resources: LinuxResources, bfq = false): string[] {
  return unitProperties(settings(resources), bfq).map(formatProperty);
}

t.test('limits become properties of the unit', async (t) => {
  t.strictSame(properties({ memory: { limit: 100, swap: 150, reservation: 50 } }), [
    'MemoryMax t "100"',
    'MemorySwapMax t "50"',
    'MemoryLow t "50"',
  ]);
  t.strictSame(properties({ memory: { limit: -1 } })[0], 'MemoryMax t "18446744073709551615"', 'infinity');
  t.strictSame(properties({ cpu: { shares: 1024, quota: 25_000, period: 50_000 } }), [
    'CPUWeight t "100"',
    'CPUQuotaPerSecUSec t "500000"',
    'CPUQuotaPeriodUSec t "50000"',
  ]);
  t.strictSame(properties({ cpu: { idle: 1 } }), ['CPUWeight t "0"']);
  t.strictSame(properties({ pids: { limit: 7 } }), ['TasksMax t "7"']);
  t.strictSame(properties({ unified: { 'memory.high': '5', 'memory.oom.group': '1' } }), ['MemoryHigh t "5"']);
});

t.test('a quota between two steps of systemd is not rounded down', async (t) => {
  t.strictSame(properties({ cpu: { quota: 33_333 } })[0], 'CPUQuotaPerSecUSec t "333400"');
});

t.test('no tasks at all, which systemd cannot express', async (t) => {
  t.strictSame(properties({ pids: { limit: 0 } }), ['TasksMax t "1"']);
});

t.test('CPU lists become bit masks', async (t) => {
  t.strictSame(properties({ cpu: { cpus: '0-2,9', mems: '0' } }), [
    'AllowedCPUs ay [7,2]',
    'AllowedMemoryNodes ay [1]',
  ]);
  t.throws(() => properties({ cpu: { cpus: '0-4000000000' } }), /no CPU or memory node 4000000000/);
});

t.test('block IO', async (t) => {
  const device = { major: 8, minor: 0 };
  t.strictSame(
    properties({
      blockIO: {
        weight: 100,
        weightDevice: [{ ...device, weight: 1000 }],
        throttleReadBpsDevice: [{ ...device, rate: 5 }],
        throttleWriteIOPSDevice: [{ ...device, rate: 0 }],
      },
    }),
    [
      'IOWeight t "910"',
      'IODeviceWeight a(st) [["/dev/block/8:0","10000"]]',
      'IOReadBandwidthMax a(st) [["/dev/block/8:0","5"]]',
      'IOWriteIOPSMax a(st) [["/dev/block/8:0","18446744073709551615"]]',
    ],
  );
});

t.test('weights of disks are adjusted so that systemd writes what was asked for', async (t) => {
  t.strictSame(properties({ blockIO: { weight: 500 } }, true), ['IOWeight t "4500"']);
  t.strictSame(properties({ blockIO: { weight: 50 } }, true), ['IOWeight t "50"']);
  t.strictSame(properties({ unified: { 'io.bfq.weight': '1000' } }), ['IOWeight t "10000"']);
  t.strictSame(properties({ unified: { 'io.weight': 'default 7\n8:0 9\n8:16 default' } }), [
    'IOWeight t "7"',
    'IODeviceWeight a(st) [["/dev/block/8:0","9"]]',
  ]);
});

t.test('memory files that are properties of systemd', async (t) => {
  t.strictSame(properties({ unified: { 'memory.zswap.writeback': '0' } }), ['MemoryZSwapWriteback b false']);
  t.strictSame(oomPolicy(settings({ unified: { 'memory.oom.group': '1' } })).map(formatProperty), [
    'OOMPolicy s "kill"',
  ]);
  t.strictSame(oomPolicy(settings({ unified: { 'memory.oom.group': '0' } })), []);
});

t.test('values as the kernel reads them', async (t) => {
  const of = (file: string, value: string) => properties({ unified: { [file]: value } });
  t.strictSame(of('memory.max', '64M'), ['MemoryMax t "67108864"']);
  t.strictSame(of('memory.high', ' 1g '), ['MemoryHigh t "1073741824"']);
  t.strictSame(of('memory.low', '0x10'), ['MemoryLow t "16"']);
  t.strictSame(of('memory.min', '010'), ['MemoryMin t "8"']);
  t.strictSame(of('memory.high', '0'), ['MemoryHigh t "1"'], 'the least that systemd accepts');
  t.strictSame(of('pids.max', '0x10'), ['TasksMax t "16"']);
  t.strictSame(of('cpu.max', '5000'), ['CPUQuotaPerSecUSec t "50000"', 'CPUQuotaPeriodUSec t "100000"']);
});

t.test('systemd is not asked for what the kernel will refuse', async (t) => {
  for (const [file, value] of [
    ['memory.high', 'plenty'],
    ['memory.max', '5x'],
    ['memory.max', '089'],
    ['pids.max', '5k'],
    ['cpu.weight', '10001'],
    ['cpu.weight', '0'],
    ['cpu.weight', 'max'],
    ['cpu.max', 'some 100000'],
    ['cpu.max', '999 100000'],
    ['cpu.max', '5000 1000001'],
    ['io.weight', 'default 10001'],
    ['io.max', '8:0 rbps=fast'],
    ['cpuset.cpus', 'all'],
  ] as const)
    t.strictSame(properties({ unified: { [file]: value } }), [], `${file} ${value}`);
});

t.test('annotations set any property', async (t) => {
  const annotations = {
    'org.systemd.property.CollectMode': "'inactive'",
    'org.systemd.property.TimeoutStopSec': '2',
    'org.systemd.property.TimeoutStopUSec': 'uint64 5',
    'org.systemd.property.After': "['a.service']",
    'org.example': 'x',
  };
  t.strictSame(annotatedProperties(annotations).map(formatProperty), [
    'CollectMode s "inactive"',
    'TimeoutStopUSec t "2000000"',
    'TimeoutStopUSec t "5"',
    'After as ["a.service"]',
  ]);
  for (const name of ['x', 'lower', 'Ab', 'With-Dash', ''])
    t.throws(() => annotatedProperties({ [`org.systemd.property.${name}`]: '1' }), /not the name of a unit's property/);
  t.throws(
    () => annotatedProperties({ 'org.systemd.property.Foo': 'bare' }),
    /^\/annotations\/org\.systemd\.property\.Foo: not a D-Bus value/,
  );
  t.throws(() => annotatedProperties({ 'org.systemd.property.FooSec': "'a'" }), /expected a number of seconds/);
});

t.test('the scope comes after the clone and before its limits; without systemd it is an error', async (t) => {
  const context = {
    spec: { ociVersion: '1.0.0', root: { path: 'r' } },
    linux: { resources: { pids: { limit: 5 } } },
    host: capableHost(),
    options: { id: 'c1', bundle: '/b', cgroupManager: 'systemd' as const },
    warnings: [],
    notes: [],
    namespaces: {},
  };
  const { before, inside } = lowerCgroup(context);
  t.strictSame(before, []);
  t.strictSame(
    inside.map(({ op }) => op),
    ['start-scope', 'write-cgroup-file', 'filter-devices'],
  );
  t.throws(
    () => lowerCgroup({ ...context, host: capableHost({ systemd: false }) }),
    /systemd not running on this host/,
  );
});
