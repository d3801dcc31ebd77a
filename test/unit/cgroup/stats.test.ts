import t from 'tap';
import { readStats } from '../../../src/cgroup/stats.ts';
import { parseDuration } from '../../../src/cli/duration.ts';
import { bytes, statsTable } from '../../../src/container/stats-table.ts';
import { parseNetDev } from '../../../src/host/network.ts';
import { toJson } from '../../../src/json.ts';

const cgroup = {
  'cpu.stat': 'usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 50\n',
  'cpu.pressure': 'some avg10=1.50 avg60=0.00 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
  'cpuset.cpus.effective': '0-2,7\n',
  'cpuset.mems.effective': '0\n',
  'memory.current': '1000\n',
  'memory.max': '4000\n',
  'memory.peak': '2000\n',
  'memory.swap.current': '10\n',
  'memory.swap.max': '100\n',
  'memory.stat': 'anon 500\nfile 300\nkernel 200\nsock 5\n',
  'memory.events': 'low 0\nhigh 0\nmax 6\noom 2\noom_kill 1\n',
  'pids.current': '3\n',
  'pids.max': 'max\n',
  'io.stat': '8:0 rbytes=1024 wbytes=2048 rios=1 wios=2 dbytes=0 dios=0\n',
  'hugetlb.2MB.current': '2097152\n',
  'hugetlb.2MB.events': 'max 9\n',
};

t.test('statistics under the names of runc', async (t) => {
  const stats = JSON.parse(toJson(readStats(t.testdir(cgroup))));
  t.match(stats.cpu, {
    usage: { total: 3_000_000, kernel: 1_000_000, user: 2_000_000 },
    throttling: { periods: 10, throttledPeriods: 4, throttledTime: 50_000 },
    psi: { some: { avg10: 1.5, total: 77 } },
  });
  t.strictSame(stats.cpuset, { cpus: [0, 1, 2, 7], mems: [0] });
  t.strictSame(stats.memory.usage, { limit: 4000, usage: 1000, max: 2000, failcnt: 6 });
  t.match(stats.memory.swap, { limit: 4100, usage: 1010 }, 'memory and swap together');
  t.match(stats.memory, { cache: 300, kernel: { usage: 200 }, kernelTCP: { usage: 5 }, raw: { anon: 500 } });
  t.strictSame(stats.pids, { current: 3, limit: 0 });
  t.match(stats.blkio.ioServiceBytesRecursive, [
    { major: 8, minor: 0, op: 'Read', value: 1024 },
    { op: 'Write', value: 2048 },
    { op: 'Discard', value: 0 },
  ]);
  t.strictSame(stats.hugetlb, { '2MB': { usage: 2_097_152, failcnt: 9 } });
});

t.test('“no limit” is written to the last digit, as Go reads it', async (t) => {
  const json = toJson(readStats(t.testdir({ ...cgroup, 'memory.max': 'max\n' })));
  t.match(json, '"limit":18446744073709551615,');
});

t.test('what a cgroup does not have is left out', async (t) => {
  const stats = readStats(t.testdir({ 'cpu.stat': 'usage_usec 1\nuser_usec 1\nsystem_usec 0\n' }));
  t.strictSame(Object.keys(stats), ['cpu']);
});

t.test('the table', async (t) => {
  const event = (id: string, total: number) => ({
    type: 'stats' as const,
    id,
    data: {
      ...readStats(t.testdirName),
      cpu: {
        usage: { total, kernel: 0, user: 0 },
        throttling: { periods: 0, throttledPeriods: 0, throttledTime: 0 },
        psi: undefined,
      },
      intel_rdt: {},
      network_interfaces: [],
    },
  });
  t.testdir(cgroup);
  const earlier = { event: event('web', 1_000_000_000), at: 0n };
  const table = statsTable([{ event: event('web', 1_500_000_000), at: 1_000_000_000n }], new Map([['web', earlier]]));
  t.match(
    table,
    /^ID +CPU +MEMORY +CHANGE +LIMIT +MEM +PRESSURE +PIDS +READ\/s +WRITE\/s +RECV\/s +SENT\/s\nweb +50\.0% +1000B +0B +3\.9KiB +25\.0% +- +3 +0B +0B +0B +0B\n$/,
  );
  const first = statsTable([earlier], new Map());
  t.match(first, /\nweb +- +1000B +-/);
  // Since then: half a CPU, then a whole one; 1 KiB a second written; 500 bytes of memory a second less.
  const trends = new Map([['web', [0, 50]]]);
  const later = event('web', 3_000_000_000);
  later.data.memory = { ...later.data.memory, usage: { limit: 4000, usage: 0, failcnt: 0 } } as never;
  later.data.blkio = { ioServiceBytesRecursive: [{ major: 8, minor: 0, op: 'Write', value: 4096 }] } as never;
  const changed = statsTable([{ event: later, at: 2_000_000_000n }], new Map([['web', earlier]]), trends);
  t.match(changed, /\nweb +100\.0% +▁▅█ +0B +-500B .* +- +1\.0KiB +0B +0B\n$/);
});

t.test('bytes', async (t) => {
  t.strictSame([0, 1023, 1024, 150 * 1024, 2 ** 30].map(bytes), ['0B', '1023B', '1.0KiB', '150KiB', '1.0GiB']);
});

t.test('network interfaces, without loopback', async (t) => {
  const text =
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n' +
    '    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0\n' +
    'a:b:c:     10       2    3    4    0     0          0         0      50       6    7    8    0     0       0          0\n';
  t.strictSame(parseNetDev(text), [
    {
      Name: 'a:b:c',
      RxBytes: 10,
      RxPackets: 2,
      RxErrors: 3,
      RxDropped: 4,
      TxBytes: 50,
      TxPackets: 6,
      TxErrors: 7,
      TxDropped: 8,
    },
  ]);
});

t.test('durations', async (t) => {
  t.strictSame(['5s', '500ms', '1m30s', '2', '1.5s'].map(parseDuration), [5000, 500, 90_000, 2000, 1500]);
  for (const text of ['', '0s', 's', '-1s', '5 s', '1d']) t.throws(() => parseDuration(text), /--interval/, text);
});
