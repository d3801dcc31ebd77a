import { readFileSync } from 'node:fs';
import t from 'tap';
import { capabilitiesIn, capabilityBit, capabilityNames, hasCapability } from '../../../src/linux/capabilities.ts';

t.test('each name maps to the bit of the kernel’s number, and back', async (t) => {
  t.equal(capabilityBit('CAP_CHOWN'), 1n);
  t.equal(capabilityBit('CAP_CHECKPOINT_RESTORE'), 1n << 40n);
  t.equal(capabilityBit('CAP_NOBODY'), undefined);
  const all = capabilityNames.reduce((sum, name) => sum | capabilityBit(name), 0n);
  t.strictSame(capabilitiesIn(all), [...capabilityNames]);
  t.strictSame(capabilitiesIn(capabilityBit('CAP_BPF') | 1n), ['CAP_CHOWN', 'CAP_BPF']);
  t.strictSame(capabilitiesIn(1n << 63n), [], 'a later kernel’s');
  t.equal(hasCapability(all ^ capabilityBit('CAP_MKNOD'), 'CAP_MKNOD'), false);
  t.equal(all, (1n << 41n) - 1n, `the kernel here has up to ${readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')}`);
});
