import t from 'tap';
import { oomKillInLog } from '../../../src/cgroup/oom-log.ts';
import { parseRecord } from '../../../src/host/kernel-log.ts';

const container = {
  cgroup: '/sys/fs/cgroup/system.slice/web.scope',
  unit: 'web.scope',
  pid: 800,
  started: 2_000_000_000,
};
const boot = { time: 0, text: 'Linux version 7.2' };
const at = 2_001_000_000;

function kill(path: string, pid: number, time = at) {
  const where = `oom_memcg=${path},task_memcg=${path}`;
  return [
    { time, text: `oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),${where},task=a,pid=1,x,pid=${pid},uid=0` },
    { time, text: `Memory cgroup out of memory: Killed process ${pid} (a,pid=1,x) total-vm:18904kB` },
  ];
}

t.test('a kill in the cgroup or below it', async (t) => {
  t.equal(oomKillInLog([boot, ...kill('/system.slice/web.scope', 803)], container), true);
  t.equal(oomKillInLog([boot, ...kill('/system.slice/web.scope/deep/er', 803)], container), true);
});

t.test('kills elsewhere and before do not count', async (t) => {
  t.equal(oomKillInLog([boot], container), false);
  t.equal(oomKillInLog([boot, ...kill('/system.slice/web.scope2', 803)], container), false);
  t.equal(oomKillInLog([boot, ...kill('/user.slice/web.scope', 803)], container), false);
  // The kill was in the container that had the name before: the time shows it, or the pid if the clocks do not.
  t.equal(oomKillInLog([boot, ...kill('/system.slice/web.scope', 803, 1_000)], container), false);
  t.equal(oomKillInLog([boot, ...kill('/system.slice/web.scope', 799, 1_999_999_000)], container), false);
});

t.test('where the kernel leaves out the cgroup, init is found by its pid', async (t) => {
  const text = (pid: number) => `Memory cgroup out of memory: Killed process ${pid} (sh) total-vm:1kB`;
  t.equal(oomKillInLog([boot, { time: at, text: text(800) }], container), true);
  t.equal(oomKillInLog([boot, { time: at, text: text(801) }], container), null, 'of another it cannot be told');
});

t.test('a log that does not go back far enough proves nothing', async (t) => {
  t.equal(oomKillInLog([{ time: at, text: 'eth0: link up' }], container), null);
  t.equal(oomKillInLog([], container), null);
  t.equal(oomKillInLog(kill('/system.slice/web.scope', 803), container), true);
});

t.test('records of /dev/kmsg', async (t) => {
  t.same(parseRecord('6,339,5140900,-;oom at /a\\x5cx2db.scope\n SUBSYSTEM=pci\n'), {
    time: 5140900,
    text: 'oom at /a\\x2db.scope',
  });
  t.same(parseRecord('4,1,0,c;text; with, signs\n'), { time: 0, text: 'text; with, signs' });
  t.equal(parseRecord('nonsense'), undefined);
});
