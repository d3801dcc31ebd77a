import t from 'tap';
import type { LoadSeccompOp, SetCapabilitiesOp } from '../../../../src/generated/ops.ts';
import type { LinuxSeccomp, Process, SeccompFlag } from '../../../../src/generated/spec.ts';
import type { HostFacts } from '../../../../src/host/facts.ts';
import { lower } from '../../../../src/lower/create-plan.ts';
import { capableHost } from '../host.ts';

const sysAdmin = 1n << 21n;

function plan(seccomp: LinuxSeccomp, process: Partial<Process> = {}, host: HostFacts = capableHost()) {
  return lower(
    {
      ociVersion: '1.3.0',
      root: { path: 'rootfs' },
      process: { cwd: '/', args: ['true'], noNewPrivileges: true, ...process },
      linux: { namespaces: [{ type: 'mount' }], seccomp },
    },
    host,
    { id: 'c1', bundle: '/bundle' },
  );
}

function load(...args: Parameters<typeof plan>): LoadSeccompOp {
  return plan(...args).ops.find((op) => op.op === 'load-seccomp') as LoadSeccompOp;
}

const allow = { defaultAction: 'SCMP_ACT_ALLOW' } satisfies LinuxSeccomp;
const notify: LinuxSeccomp = {
  ...allow,
  listenerPath: '/agent.sock',
  syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }],
};

t.test('the profile is compiled before all else and loaded right before execve', async (t) => {
  const names = plan(allow, { noNewPrivileges: false }).ops.map(({ op }) => op);
  t.equal(names[0], 'compile-seccomp');
  t.same(names.slice(-4), ['wait-start', 'prepare-exec', 'load-seccomp', 'exec']);
  t.ok(names.indexOf('set-user') < names.indexOf('load-seccomp'));
});

t.test('no flags mean SPEC_ALLOW, where the kernel has it; an empty list means none', async (t) => {
  t.equal(load(allow).flags, 4);
  t.equal(load(allow, {}, capableHost({ seccompFlags: ['SECCOMP_FILTER_FLAG_LOG'] })).flags, 0);
  t.equal(load({ ...allow, flags: [] }).flags, 0);
  t.equal(load({ ...allow, flags: ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG'] }).flags, 3);
});

t.test('a flag that the kernel does not know is refused with its place', async (t) => {
  const host = capableHost({ seccompFlags: ['SECCOMP_FILTER_FLAG_LOG'] });
  const flags: SeccompFlag[] = ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'];
  t.throws(() => plan({ ...notify, flags }, {}, host), {
    message:
      /^\/linux\/seccomp\/flags\/1: this kernel \(6\.12\.0\) does not know SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV$/,
    hint: 'Linux 5.19 or later does',
  });
});

t.test('WAIT_KILLABLE_RECV, which the kernel refuses without a listener, is left out with a warning', async (t) => {
  const flags: SeccompFlag[] = ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'];
  t.equal(load({ ...allow, flags }).flags, 0);
  t.match(plan({ ...allow, flags }).warnings, [{ message: /has no effect without SCMP_ACT_NOTIFY/ }]);
  t.equal(load({ ...notify, flags }).flags, 32 | 8 | 1 | 16);
  t.same(plan({ ...notify, flags }).warnings, []);
});

t.test('any action that notifies needs a listener', async (t) => {
  t.equal(load(allow).listener, false);
  t.equal(load(notify).listener, true);
  t.equal(load({ defaultAction: 'SCMP_ACT_NOTIFY', listenerPath: '/agent.sock' }).listener, true);
});

t.test('CAP_SYS_ADMIN is kept for loading only without no_new_privs', async (t) => {
  const kept = (process: Partial<Process>) =>
    (plan(allow, process).ops.find((op) => op.op === 'set-capabilities') as SetCapabilitiesOp).kept;
  t.equal(kept({ noNewPrivileges: true }), 0n);
  t.equal(kept({ noNewPrivileges: false }), sysAdmin);
  t.equal(load(allow, { noNewPrivileges: true }).raise, false);
  t.equal(load(allow, { noNewPrivileges: false }).raise, true);
});

t.test('a container without a process loads no filter', async (t) => {
  const spec = {
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    linux: { seccomp: allow, namespaces: [{ type: 'mount' }] },
  };
  const { ops } = lower(spec as Parameters<typeof lower>[0], capableHost(), { id: 'c1', bundle: '/bundle' });
  t.notOk(ops.some(({ op }) => op === 'load-seccomp'));
});
