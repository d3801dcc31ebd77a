import t from 'tap';
import type { LinuxCapabilities } from '../../../../src/generated/spec.ts';
import { capabilityNames } from '../../../../src/linux/capabilities.ts';
import { type FullSpec, opsOf, planOf } from '../lowering.ts';

const kill = 1n << 5n;
const chown = 1n << 0n;
const admin = 1n << 21n;

function withSets(capabilities: LinuxCapabilities, { userNamespace = false } = {}) {
  return (spec: FullSpec) => {
    spec.process.capabilities = capabilities;
    if (userNamespace) spec.linux.namespaces?.push({ type: 'user' });
  };
}

t.test('each set gets its bits', async (t) => {
  const plan = planOf(
    withSets({
      bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN'],
      permitted: ['CAP_CHOWN', 'CAP_KILL'],
      effective: ['CAP_CHOWN'],
      inheritable: ['CAP_KILL'],
      ambient: ['CAP_KILL'],
    }),
  );
  t.match(opsOf(plan, 'bound-capabilities'), [{ bounding: chown | kill | admin }]);
  t.match(opsOf(plan, 'set-capabilities'), [
    { permitted: chown | kill, effective: chown, inheritable: kill, ambient: kill },
  ]);
  t.same(plan.warnings, []);
});

t.test('a process without capabilities in the config has none', async (t) => {
  const plan = planOf((spec) => {
    delete spec.process.capabilities;
  });
  t.match(opsOf(plan, 'bound-capabilities'), [{ bounding: 0n }]);
  t.match(opsOf(plan, 'set-capabilities'), [{ permitted: 0n, effective: 0n, inheritable: 0n, ambient: 0n }]);
});

t.test('what is unknown or cannot be granted is left out with a warning', async (t) => {
  const sets = { bounding: ['CAP_KILL', 'CAP_SPARKLE', 'CAP_CHOWN'] };
  const plan = planOf(withSets(sets), { capabilities: kill | admin });
  t.match(opsOf(plan, 'bound-capabilities'), [{ bounding: kill }]);
  t.match(plan.warnings, [{ pointer: '/process/capabilities', message: /CAP_CHOWN cannot be granted here/ }]);
  t.equal(plan.warnings.length, 1, 'validation has warned of the unknown one');
});

t.test('a user namespace has every capability the kernel knows, whatever the runtime has', async (t) => {
  const sets = { bounding: ['CAP_SYS_ADMIN', 'CAP_CHECKPOINT_RESTORE'] };
  const old = { capabilities: 0n, lastCapability: 39 };
  const plan = planOf(withSets(sets, { userNamespace: true }), old);
  t.match(opsOf(plan, 'bound-capabilities'), [{ bounding: admin }]);
  t.match(plan.warnings, [
    { pointer: '/process/capabilities', message: /CAP_CHECKPOINT_RESTORE cannot be granted here/ },
  ]);
});

t.test('no set asks for what capset would refuse', async (t) => {
  const all = ['CAP_CHOWN', 'CAP_KILL'];
  const plan = planOf(
    withSets({ bounding: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'], effective: all, inheritable: all, ambient: all }),
  );
  t.match(opsOf(plan, 'set-capabilities'), [
    { permitted: chown, effective: chown, inheritable: chown, ambient: chown },
  ]);
});

t.test('the names are those of capabilities(7), by number', async (t) => {
  t.equal(capabilityNames.length, 41);
  t.equal(capabilityNames[21], 'CAP_SYS_ADMIN');
  t.equal(capabilityNames[40], 'CAP_CHECKPOINT_RESTORE');
});
