/** resctrl groups, with a directory in place of the filesystem. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { JoinResctrlOp } from '../../../src/generated/ops.ts';
import { resctrlFacts } from '../../../src/host/resctrl.ts';
import { changeSchemata, joinGroup, removeGroups } from '../../../src/resctrl/group.ts';
import { schemataConflict } from '../../../src/resctrl/schemata.ts';

function joinOp(mount: string, changes: Partial<JoinResctrlOp> = {}): JoinResctrlOp {
  const op = { op: 'join-resctrl', by: 'runtime', from: '/linux/intelRdt' } as const;
  return { ...op, mount, directory: join(mount, 'gold'), mustExist: false, schemata: [], monitoring: null, ...changes };
}

function text(...path: string[]): string {
  return readFileSync(join(...path), 'utf8');
}

/** rmdir(2) of a resctrl group removes the kernel's files with it; here the test has to. */
function emptyOut(directory: string): void {
  for (const name of ['tasks', 'schemata']) rmSync(join(directory, name), { force: true });
}

t.test('a new group is recorded, made, written and joined, and removed again', async (t) => {
  const mount = t.testdir({});
  const announced: string[] = [];
  const op = joinOp(mount, { schemata: ['L3:0=f\n'] });
  joinGroup(op, 42, (directories) => {
    t.notOk(existsSync(op.directory), 'recorded before it is made');
    announced.push(...directories);
  });
  t.same(announced, [op.directory]);
  t.equal(text(op.directory, 'schemata'), 'L3:0=f\n');
  t.equal(text(op.directory, 'tasks'), '42');
  emptyOut(op.directory);
  removeGroups(announced);
  t.notOk(existsSync(op.directory));
  t.doesNotThrow(() => removeGroups(announced), 'what is gone is no error');
});

t.test('a group with a process in it stays', async (t) => {
  const mount = t.testdir({ gold: { tasks: '17\n' } });
  removeGroups([join(mount, 'gold')]);
  t.ok(existsSync(join(mount, 'gold')));
});

t.test('an existing group is joined, and never written or removed', async (t) => {
  const mount = t.testdir({ gold: { schemata: '    L3:0=00f;1=ff\n    MB:0= 50\n', tasks: '' } });
  const announced: string[] = [];
  const op = joinOp(mount, { schemata: ['L3:0=F\nMB:0=50\n'] });
  joinGroup(op, 42, (directories) => announced.push(...directories));
  t.same(announced, []);
  t.equal(text(op.directory, 'schemata'), '    L3:0=00f;1=ff\n    MB:0= 50\n');
  t.equal(text(op.directory, 'tasks'), '42');
});

t.test('an existing group that differs is an error', async (t) => {
  const mount = t.testdir({ gold: { schemata: 'L3:0=ff\n', tasks: '' } });
  t.throws(() => joinGroup(joinOp(mount, { schemata: ['L3:0=f\n'] }), 42, () => {}), {
    message: /^\/linux\/intelRdt: the group .* differs: L3:0 is ff, not f$/,
  });
  t.equal(text(mount, 'gold/tasks'), '', 'nobody was put in');
});

t.test('a missing group that must exist is an error', async (t) => {
  const mount = t.testdir({});
  t.throws(() => joinGroup(joinOp(mount, { mustExist: true }), 42, () => {}), {
    message: /^\/linux\/intelRdt\/closID: there is no .*gold$/,
  });
  t.notOk(existsSync(join(mount, 'gold')));
});

t.test('monitoring joins a group of its own, removed before the one it is in', async (t) => {
  const mount = t.testdir({ gold: { tasks: '', mon_groups: {} } });
  const announced: string[] = [];
  const monitoring = join(mount, 'gold/mon_groups/c1');
  joinGroup(joinOp(mount, { monitoring }), 42, (directories) => announced.push(...directories));
  t.same(announced, [monitoring]);
  t.equal(text(monitoring, 'tasks'), '42');
});

t.test('a refusal is reported in the kernel’s own words', async (t) => {
  const mount = t.testdir({ info: { last_cmd_status: 'Mask out of range\n' } });
  // A directory where a file should be makes the write fail.
  mkdirSync(join(mount, 'gold/tasks'), { recursive: true });
  t.throws(() => joinGroup(joinOp(mount), 42, () => {}), { message: /gold\/tasks: EISDIR: Mask out of range$/ });
});

t.test('schemata are compared by meaning', async (t) => {
  t.equal(schemataConflict('L3:1=1f;0=7f0', 'L3:0=7F0;1=01f;2=1\nMB:0=100'), undefined);
  t.equal(schemataConflict('MB:0=50', 'MB:0= 60'), 'MB:0 is 60, not 50');
  t.equal(schemataConflict('L2:0=f', 'L3:0=f'), 'it has no L2:0');
  t.equal(schemataConflict('L3:0=0', 'L3:0=0000'), undefined);
});

t.test('the host’s resctrl is found by its mount', async (t) => {
  const mount = t.testdir({ info: { L3: {}, MB: {}, L3_MON: {}, last_cmd_status: '' }, mon_groups: {} });
  writeFileSync(join(mount, 'schemata'), '');
  const line = `30 20 0:25 / ${mount} rw,relatime shared:7 - resctrl resctrl rw\n`;
  t.same(resctrlFacts(line), { mount, resources: ['L3', 'MB'], monitoring: true });
  t.equal(resctrlFacts('20 1 0:5 / / rw - ext4 /dev/vda rw\n'), null);
});

t.test('update writes to the group that create made, and to no other', async (t) => {
  const mount = t.testdir({ gold: { schemata: 'L3:0=f\n', tasks: '1' }, mon: { tasks: '1' } });
  changeSchemata([join(mount, 'mon'), join(mount, 'gold')], '--l3-cache-schema', ['L3:0=3', 'MB:0=50']);
  t.equal(text(mount, 'gold', 'schemata'), 'L3:0=3\nMB:0=50\n');
  t.throws(
    () => changeSchemata([], '--mem-bw-schema', ['MB:0=50']),
    /^--mem-bw-schema: the container has no resctrl group/,
  );
});
