import t from 'tap';
import type { Linux, Spec } from '../../../../src/generated/spec.ts';
import type { HostFacts } from '../../../../src/host/facts.ts';
import type { LowerOptions } from '../../../../src/lower/context.ts';
import { lower } from '../../../../src/lower/create-plan.ts';
import { defaultSpec } from '../../../../src/template/template.ts';
import { capableHost } from '../host.ts';

/** Ops that change the mounts of init's mount namespace. */
const mounting =
  /^(bind-.*|clone-tree|new-filesystem|attach.*|mount-.*|set-.*propagation|nodev-root|readonly-.*|mask-.*|pivot-root|move-root|make-node|open-tree)$/;

function opsOf(edit: (linux: Linux, spec: Spec) => void, host: Partial<HostFacts> = {}, options = {}): string[] {
  const spec: Spec = { ...defaultSpec(), root: { path: 'rootfs' }, mounts: [] };
  const { maskedPaths: _masked, readonlyPaths: _readonly, ...rest } = spec.linux ?? {};
  const linux: Linux = { ...rest, namespaces: rest.namespaces?.filter(({ type }) => type !== 'mount') ?? [] };
  spec.linux = linux;
  edit(linux, spec);
  const given: LowerOptions = { id: 'c1', bundle: '/bundle', ...options };
  return lower(spec, capableHost(host), given).ops.map((op) => {
    if (op.op === 'make-console' && op.bindConsole) return 'bind-console';
    return 'namespaces' in op && op.namespaces.includes('mount') ? 'mount-namespace' : op.op;
  });
}

function inUserNamespace(linux: Linux): void {
  const all = [{ containerID: 0, hostID: 100_000, size: 1000 }];
  linux.namespaces?.push({ type: 'user' });
  Object.assign(linux, { uidMappings: all, gidMappings: all });
}

t.test('without a mount namespace no op mounts, wherever the container is', async (t) => {
  const plans = {
    plain: opsOf(() => undefined),
    'its own user namespace': opsOf(inUserNamespace),
    'root of a user namespace': opsOf(() => undefined, { initialUserNamespace: false }),
    'no device filter': opsOf(() => undefined, {}, { cgroupManager: 'disabled' }),
    '--no-pivot': opsOf(() => undefined, {}, { noPivot: true }),
    sd_notify: opsOf(() => undefined, {}, { notifyDirectory: '/run/c1/notify' }),
    "the host's root": opsOf((_linux, spec) => Object.assign(spec, { root: { path: '/' } })),
  };
  for (const [name, ops] of Object.entries(plans)) {
    t.same(
      ops.filter((op) => mounting.test(op)),
      [],
      name,
    );
    t.ok(ops.includes('chroot-root'), name);
  }
  t.notOk(
    plans["the host's root"].some((op) => /^make-(device|symlink)$/.test(op)),
    "the host's /dev is left alone",
  );
});

t.test('devices that could only be bound are refused, others made', async (t) => {
  const devices = [{ path: '/dev/x', type: 'c' as const, major: 1, minor: 3 }];
  const add = (linux: Linux) => Object.assign(linux, { devices });
  t.ok(opsOf(add).includes('make-device'));
  const refused = /^\/linux\/devices: without a mount namespace/;
  t.throws(() => opsOf(add, { initialUserNamespace: false }), { message: refused });
  const both = (linux: Linux) => {
    inUserNamespace(linux);
    add(linux);
  };
  t.throws(() => opsOf(both), { message: refused });
});
