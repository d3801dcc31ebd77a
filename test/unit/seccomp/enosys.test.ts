import t from 'tap';
import type { SeccompArch } from '../../../src/generated/spec.ts';
import { architectures } from '../../../src/linux/seccomp.ts';
import { enosysStub, needsStub } from '../../../src/seccomp/enosys.ts';
import { evaluate } from './bpf.ts';

const passed = 0x7fff0000;
const enosys = 0x00050000 | 38;
/** A filter that allows everything. */
const filter = Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]);

/** The verdict of the stub for these newest calls, as a function of architecture and number. */
function stub(newest: Partial<Record<SeccompArch, number>>) {
  const known = Object.entries(newest).map(([name, number]) => {
    return { architecture: architectures[name as SeccompArch], number };
  });
  const program = Buffer.concat([enosysStub(known), filter]);
  return (name: SeccompArch, number: number) => evaluate(program, { architecture: architectures[name].audit, number });
}

t.test('calls above the newest get ENOSYS, on each architecture by its own numbers', async (t) => {
  const answer = stub({ SCMP_ARCH_X86_64: 439, SCMP_ARCH_X86: 384, SCMP_ARCH_AARCH64: 100 });
  t.equal(answer('SCMP_ARCH_X86_64', 439), passed);
  t.equal(answer('SCMP_ARCH_X86_64', 440), enosys);
  t.equal(answer('SCMP_ARCH_X86', 384), passed);
  t.equal(answer('SCMP_ARCH_X86', 385), enosys);
  t.equal(answer('SCMP_ARCH_AARCH64', 101), enosys);
});

t.test('an architecture without calls is left to the filter', async (t) => {
  t.equal(stub({ SCMP_ARCH_X86_64: 439 })('SCMP_ARCH_X86', 5000), passed);
  t.equal(enosysStub([]).length, 0);
});

t.test('x32 is a mode of x86_64 with its own newest call', async (t) => {
  const bit = 0x40000000;
  const both = stub({ SCMP_ARCH_X86_64: 300, SCMP_ARCH_X32: bit + 540 });
  t.equal(both('SCMP_ARCH_X86_64', 301), enosys);
  t.equal(both('SCMP_ARCH_X86_64', 300), passed);
  t.equal(both('SCMP_ARCH_X32', bit + 540), passed);
  t.equal(both('SCMP_ARCH_X32', bit + 541), enosys);
  t.equal(stub({ SCMP_ARCH_X86_64: 300 })('SCMP_ARCH_X32', bit + 541), passed, 'not listed: for the filter to refuse');
});

t.test('numbers of no ordinary call are left to the filter', async (t) => {
  const answer = stub({ SCMP_ARCH_X86_64: 439, SCMP_ARCH_AARCH64: 440, SCMP_ARCH_ARM: 400 });
  t.equal(answer('SCMP_ARCH_X86_64', 0xffffffff), passed, 'skipped by a tracer');
  t.equal(answer('SCMP_ARCH_AARCH64', 0xffffffff), passed);
  t.equal(answer('SCMP_ARCH_ARM', 0xf0005), passed, 'set_tls');
  t.equal(answer('SCMP_ARCH_ARM', 401), enosys);
});

t.test('s390 shows calls its kernel does not know as 0', async (t) => {
  const answer = stub({ SCMP_ARCH_S390X: 400 });
  t.equal(answer('SCMP_ARCH_S390X', 0), enosys);
  t.equal(answer('SCMP_ARCH_S390X', 1), passed);
  t.equal(answer('SCMP_ARCH_S390X', 401), enosys);
});

t.test('with all architectures at once the jumps still lead where they should', async (t) => {
  const names = Object.keys(architectures) as SeccompArch[];
  const newestOf = (name: SeccompArch) => (name === 'SCMP_ARCH_X32' ? 0x40000000 : 0) + 300;
  const answer = stub(Object.fromEntries(names.map((name) => [name, newestOf(name)])));
  for (const name of names) {
    t.equal(answer(name, newestOf(name)), passed, `${name}: newest`);
    t.equal(answer(name, newestOf(name) + 1), enosys, `${name}: newer`);
  }
});

t.test('only a default that refuses is softened', async (t) => {
  for (const action of ['SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP'] as const) {
    t.ok(needsStub(action, 1), action);
  }
  t.ok(needsStub('SCMP_ACT_ERRNO', 1));
  t.notOk(needsStub('SCMP_ACT_ERRNO', 38));
  for (const action of ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE', 'SCMP_ACT_NOTIFY'] as const) {
    t.notOk(needsStub(action, 1), action);
  }
});
