/** Timestamps become spans, and spans become events for Chrome's viewers. */
import t from 'tap';
import type { Op } from '../../../src/generated/ops.ts';
import { chromeTrace, spansOf } from '../../../src/run/trace.ts';

const ops = [
  { op: 'create-cgroup', by: 'runtime', from: '/linux/cgroupsPath' },
  { op: 'set-hostname', by: 'init', from: '/hostname' },
  { op: 'wait-start', by: 'init', from: 'lifecycle' },
  { op: 'record-state', by: 'runtime', from: 'lifecycle' },
] as unknown as Op[];

const runtime = new BigUint64Array([1000n, 2000n, 0n, 0n, 0n, 0n, 3000n, 4500n]);
const init = new BigUint64Array([0n, 0n, 2100n, 2350n, 2400n, 0n, 0n, 0n]);

t.test('an op that has not ended is left out', async (t) => {
  const spans = spansOf(ops, runtime, init).map(({ index, start, end }) => [index, start, end]);
  t.strictSame(spans, [
    [0, 1000n, 2000n],
    [1, 2100n, 2350n],
    [3, 3000n, 4500n],
  ]);
});

t.test('spans are in the order of their start, whoever ran them', async (t) => {
  const late = new BigUint64Array([9000n, 9500n, 0n, 0n, 0n, 0n, 3000n, 4500n]);
  t.strictSame(
    spansOf(ops, late, init).map(({ index }) => index),
    [1, 3, 0],
  );
});

t.test('events are complete ones, in microseconds', async (t) => {
  const [process, first, second, ...events] = JSON.parse(chromeTrace(spansOf(ops, runtime, init), 42));
  t.match([process, first, second], [{ ph: 'M', args: { name: 'tsrun' } }, { tid: 1 }, { tid: 2 }]);
  t.strictSame(events[1], {
    name: 'set-hostname',
    cat: 'init',
    ph: 'X',
    ts: 2.1,
    dur: 0.25,
    pid: 42,
    tid: 2,
    args: { index: 1, from: '/hostname' },
  });
  t.equal(events[0].tid, 1);
  t.strictSame(JSON.parse(chromeTrace([], 42)), []);
});
