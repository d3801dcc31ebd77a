/** The names that are printed for numbers in ops, one family after the other. */
import t from 'tap';
import type { Op } from '../../../src/generated/ops.ts';
import { capabilityList, modeName, mountAttributeNames, numberList, propagationName } from '../../../src/plan/names.ts';
import { printOp, valuesOf } from '../../../src/plan/print.ts';

/** Fields as they are printed; without those that an op's text does not need. */
function values(op: object, all = false): Record<string, string> {
  return Object.fromEntries(valuesOf({ by: 'init', from: '/x', ...op } as unknown as Op, all));
}

t.test('attributes of mounts', async (t) => {
  t.equal(mountAttributeNames(15), 'ro,nosuid,nodev,noexec');
  t.equal(mountAttributeNames(0x10 | 2), 'nosuid,noatime');
  t.equal(mountAttributeNames(0x20n), 'strictatime');
  t.equal(mountAttributeNames(0x70), 'atime', 'cleared');
  t.equal(mountAttributeNames(0x200080), 'nodiratime,nosymfollow');
  t.equal(mountAttributeNames(0), undefined);
  t.equal(mountAttributeNames(0x400), '0x400', 'what has no name is a number');
});

t.test('propagation', async (t) => {
  t.equal(propagationName(1 << 18, true), 'rprivate');
  t.equal(propagationName(1 << 20, false), 'shared');
  t.equal(propagationName(0, true), undefined);
  const op = { op: 'set-propagation', propagation: 'slave', flags: 1 << 19, recursive: true };
  t.same(values(op), { propagation: 'rslave' });
});

t.test('modes', async (t) => {
  t.equal(modeName(0o20666), '0666 c');
  t.equal(modeName(0o60660), '0660 b');
  t.equal(modeName(0o10600), '0600 p');
  t.equal(modeName(0o20000), 'c', 'a node of the host that is bound');
  t.equal(modeName(0o22), '0022');
  t.equal(modeName(0o1777), '01777');
});

t.test('capabilities', async (t) => {
  t.equal(capabilityList((1n << 5n) | (1n << 29n)), 'CAP_KILL,CAP_AUDIT_WRITE');
  t.equal(capabilityList(0), 'none');
  t.equal(capabilityList(1n << 50n), '0x4000000000000');
  const op = { op: 'set-capabilities', effective: 32n, permitted: 32n, inheritable: 0n, ambient: 0n, kept: 0n };
  t.same(values(op), { effective: 'CAP_KILL', permitted: 'CAP_KILL', inheritable: 'none', ambient: 'none' });
});

t.test('namespaces, where the op does not name them', async (t) => {
  t.same(values({ op: 'clone', namespaces: ['pid'], flags: 0x20000000 }), { namespaces: 'pid' });
  t.same(values({ op: 'clone', namespaces: [], flags: 0x20000080 }), { flags: 'pid,time' });
});

t.test('filters, scheduling, filesystems', async (t) => {
  const load = { op: 'load-seccomp', program: 'p', flags: 3, listener: false, raise: false };
  t.same(values(load), { program: 'p', flags: 'SECCOMP_FILTER_FLAG_TSYNC,SECCOMP_FILTER_FLAG_LOG' });
  const scheduler = { op: 'set-scheduler', policy: 'SCHED_RR', number: 2, flags: 1, nice: 0 };
  t.match(values(scheduler), { policy: 'SCHED_RR', flags: 'SCHED_FLAG_RESET_ON_FORK', number: undefined });
  t.match(values({ op: 'mount-by-flags', flags: (1 << 23) | 1 }), { flags: 'ro,iversion' });
});

t.test('lists of CPUs and nodes, limits', async (t) => {
  t.equal(numberList([0b10001111n, 1n]), '0-3,7,64');
  const rlimit = { op: 'set-rlimit', type: 'RLIMIT_CORE', resource: 4, soft: 0, hard: 2n ** 64n - 1n };
  t.same(values(rlimit), { type: 'RLIMIT_CORE', soft: '0', hard: 'unlimited' });
});

t.test('device rules and properties of units', async (t) => {
  const rules = [
    { allow: false, type: 'a', major: null, minor: null, access: 'rwm' },
    { allow: true, type: 'c', major: 1, minor: 3, access: 'r' },
  ];
  t.match(values({ op: 'filter-devices', rules }), { rules: 'deny a *:* rwm; allow c 1:3 r' });
  const properties = [{ name: 'MemoryMax', type: 't', value: '5' }];
  t.match(values({ op: 'start-scope', properties }), { properties: '"MemoryMax t \\"5\\""' });
});

t.test('with --all, usual values are printed, too', async (t) => {
  const op = { op: 'attach-mount', destination: '/m', realDirectory: false, onProc: false, held: true };
  t.same(values(op), { destination: '/m', held: 'true' });
  t.same(values(op, true), { destination: '/m', realDirectory: 'false', onProc: 'false', held: 'true' });
  t.match(
    printOp({ by: 'init', from: '/mounts/0', ...op } as Op),
    /^init +attach-mount destination=\/m held=true {2}<- \/mounts\/0$/,
  );
});
