/** Who makes which namespaces, and in what order (src/lower/namespaces/namespaces.ts). */
import t from 'tap';
import type { LinuxNamespace, Spec } from '../../src/generated/spec.ts';
import { type EditableSpec, golden, only, part, planOf } from './golden.ts';

/** An ordinary user with uid and gid 1000. */
const ordinary = { uid: 1000, gid: 1000, capabilities: 0n };

t.test('all new namespaces in one clone', async (t) => {
  namespacePlan(t, 'new', () => {});
});

t.test('namespaces joined by path', async (t) => {
  namespacePlan(t, 'joined', (spec) => {
    join(spec, 'network');
    join(spec, 'ipc');
    join(spec, 'mount');
  });
});

t.test('a joined pid namespace needs a fork', async (t) => {
  namespacePlan(t, 'joined-pid', (spec) => join(spec, 'pid'));
});

t.test('a user namespace owns the namespaces that are made after it', async (t) => {
  namespacePlan(t, 'user', (spec) => {
    spec.linux.namespaces?.push({ type: 'user' });
    map(spec, 100000, 65536);
  });
});

t.test('a joined user namespace, with namespaces of its own and mappings to be checked', async (t) => {
  namespacePlan(t, 'joined-user', (spec) => {
    spec.linux.namespaces?.push({ type: 'user' });
    for (const type of ['user', 'network', 'ipc', 'uts'] as const) join(spec, type);
    map(spec, 100000, 65536);
  });
});

t.test('an ordinary user joins what the user namespace owns after it', async (t) => {
  namespacePlan(
    t,
    'joined-user-rootless',
    (spec) => {
      spec.linux.namespaces?.push({ type: 'user' });
      for (const type of ['user', 'network'] as const) join(spec, type);
    },
    ordinary,
  );
});

t.test('an ordinary user maps itself, or a range through newuidmap', async (t) => {
  const edit = (size: number) => (spec: EditableSpec) => {
    spec.linux.namespaces?.push({ type: 'user' });
    map(spec, size === 1 ? 1000 : 100000, size);
  };
  namespacePlan(t, 'rootless-single', edit(1), ordinary);
  namespacePlan(t, 'rootless-range', edit(65536), ordinary);
});

t.test('time offsets are written before a process is in the namespace', async (t) => {
  namespacePlan(t, 'time', (spec) => {
    spec.linux.namespaces?.push({ type: 'time' });
    spec.linux.timeOffsets = { boottime: { secs: 100, nanosecs: 5 }, monotonic: { secs: -1 } };
  });
});

t.test('network devices come before the hooks, and their kernel parameters after', async (t) => {
  const plan = planOf((spec) => {
    spec.hooks = { createRuntime: [{ path: '/bin/hook' }] };
    spec.linux.netDevices = { eth7: { name: 'lan.1' }, eth8: {} };
    spec.linux.sysctl = { 'net.ipv4.conf.lan/1.forwarding': '1', 'kernel.msgmax': '65536' };
  });
  golden(t, 'network', only(plan, ['move-net-device', 'run-hook', 'pivot-root', 'write-sysctl']));
});

/** The plan up to where init enters the rootfs: namespaces change only this part. */
function namespacePlan(
  t: Parameters<typeof golden>[0],
  name: string,
  edit: (spec: EditableSpec) => void,
  host: Parameters<typeof planOf>[1] = {},
): void {
  golden(t, `namespaces-${name}`, part(planOf(edit, host), ['open-namespace', 'clone'], 'open-procfs'));
}

function join(spec: Spec, type: LinuxNamespace['type']): void {
  for (const entry of spec.linux?.namespaces ?? []) if (entry.type === type) entry.path = `/run/ns/${type}`;
}

function map(spec: EditableSpec, hostID: number, size: number): void {
  spec.linux.uidMappings = [{ containerID: 0, hostID, size }];
  spec.linux.gidMappings = [{ containerID: 0, hostID, size }];
}
