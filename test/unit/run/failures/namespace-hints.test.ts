import { constants } from 'node:os';
import t from 'tap';
import type { Op } from '../../../../src/generated/ops.ts';
import { isInitialUserNamespace } from '../../../../src/host/facts.ts';
import { describeFailure } from '../../../../src/run/failures/failure.ts';
import { namespaceHint, userNamespaceHint } from '../../../../src/run/failures/namespace-hints.ts';

const { EACCES, EINVAL, ENOENT, ENOSPC, EPERM, ERANGE } = constants.errno;

/** The line that a user gets. */
function line(op: Op, error: number): string {
  return describeFailure(op, { error, value: 0, detail: '' }).asLine;
}

t.test('the hint for a new namespace names the switch or limit', async (t) => {
  const user: Op = { op: 'unshare', by: 'init', from: '/linux/namespaces', namespaces: ['user'], flags: 0 };
  t.match(line(user, EPERM), /^\/linux\/namespaces: unshare: EPERM/);
  t.match(
    userNamespaceHint(false, (file) => (file.endsWith('clone') ? '0' : undefined)),
    /see kernel\.unprivileged_userns_clone in/,
  );
  t.match(
    userNamespaceHint(false, (file) => (file.endsWith('userns') ? '1' : '1')),
    /see kernel\.apparmor_restrict/,
  );
  for (const hint of [userNamespaceHint(true, () => '0'), userNamespaceHint(false, () => undefined)]) {
    t.match(hint, /^in a chroot\(2\) nobody may/);
  }
  const clone: Op = { op: 'clone', by: 'runtime', from: '/linux/namespaces', namespaces: ['pid'], flags: 0 };
  t.match(line(clone, ENOSPC), /max_\*_namespaces/);
  t.notMatch(line({ ...clone, namespaces: [] }, ENOSPC), /hint/);
  t.match(line(user, ENOSPC), /max_\*_namespaces/);
  t.match(line({ ...user, namespaces: ['ipc'] }, EPERM), /forbids it/);
  t.match(line({ ...user, namespaces: ['time'] }, EINVAL), /built without/);
});

t.test('the hint for joining a namespace says why it fails', async (t) => {
  const join = (type: string): Op => {
    return { op: 'join-namespace', by: 'init', from: '/linux/namespaces/2/path', type, flag: 0, ns: 'ns' };
  };
  t.match(line(join('network'), EPERM), /^\/linux\/namespaces\/2\/path: join-namespace: EPERM.*user namespace/);
  t.match(line(join('user'), EINVAL), /leave the entry out/);
  t.match(line(join('pid'), EINVAL), /below the runtime/);
});

t.test('parts of a namespace', async (t) => {
  const adopt: Op = { op: 'adopt-ids', by: 'init', from: '/linux/uidMappings', uid: 0, gid: 0 };
  t.match(line(adopt, EINVAL), /maps no such ID/);
  const time: Op = { op: 'write-time-offsets', by: 'init', from: '/linux/timeOffsets', offsets: ['boottime -9 0\n'] };
  t.match(line(time, ERANGE), /before its start/);
  const sysctl: Op = {
    op: 'write-sysctl',
    by: 'init',
    from: '/linux/sysctl/net.x',
    key: 'net/x',
    value: '1',
    hostFile: null,
    hostDirectory: null,
  };
  t.match(line(sysctl, ENOENT), /this kernel has no such parameter\)$/);
  const device = { ...sysctl, key: 'net/ipv4/conf/eth7/forwarding' };
  t.match(line(device, ENOENT), /or the network device that it names is not there\)$/);
  t.match(line({ ...sysctl, key: 'net/ipv4/ip_forward' }, ENOENT), /in the host’s own namespace only/);
  t.match(line(sysctl, EINVAL), /does not take this value/);
  for (const error of [EACCES, EPERM]) {
    const domain = { ...sysctl, key: 'kernel/domainname' };
    t.match(namespaceHint(domain, error, true, []), /cannot be set in a user namespace: use \/domainname$/);
    t.match(namespaceHint(domain, error, false, []), /in the host’s own namespace only/);
    // A new network namespace belongs to the user namespace.
    t.match(namespaceHint(sysctl, error, true, []), /in the host’s own namespace only/);
    const join: Op = { op: 'join-namespace', by: 'init', from: '', type: 'network', flag: 0, ns: 'ns' };
    t.match(namespaceHint(sysctl, error, true, [join]), /cannot be set in a user namespace/);
  }
});

t.test('a hint speaks of a user namespace only if the plan enters one', async (t) => {
  const sysctl: Op = {
    op: 'write-sysctl',
    by: 'init',
    from: '/linux/sysctl/kernel.domainname',
    key: 'kernel/domainname',
    value: '1',
    hostFile: null,
    hostDirectory: null,
  };
  const unshare: Op = { op: 'unshare', by: 'init', from: '/linux/namespaces', namespaces: ['user'], flags: 0 };
  const join: Op = { op: 'join-namespace', by: 'init', from: '/linux/namespaces/0', type: 'user', flag: 0, ns: 'ns' };
  const hint = (ops: Op[]) => describeFailure(sysctl, { error: EACCES, value: 0, detail: '' }, ops).hint;
  t.match(hint([unshare]), /in a user namespace/);
  t.match(hint([join]), /in a user namespace/);
  if (isInitialUserNamespace()) t.notMatch(hint([]), /user namespace/);
});
