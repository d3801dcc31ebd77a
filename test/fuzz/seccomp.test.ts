/** Random seccomp profiles: each is refused with an error, or becomes a program that passes the kernel's check. */
import t from 'tap';
import { validateSpec } from '../../src/config/validate/validate.ts';
import { TsrunError } from '../../src/errors.ts';
import { type ObjectSchema, Spec as specSchema } from '../../src/generated/schema-tables.ts';
import type { LinuxSeccomp, Spec } from '../../src/generated/spec.ts';
import { compileFilter } from '../../src/seccomp/compile.ts';
import { requires } from '../harness/index.ts';
import { Random, rounds } from './random.ts';
import { randomValue } from './values.ts';

const skip = requires({ files: ['build/Release/tsrun.node'] });

const calls = [
  'read',
  'write',
  'clone',
  'ioctl',
  'mkdir',
  'openat2',
  'socketcall',
  '_llseek',
  'no_such_call',
  'execve',
];
const architectures = [
  'SCMP_ARCH_X86_64',
  'SCMP_ARCH_X86',
  'SCMP_ARCH_X32',
  'SCMP_ARCH_AARCH64',
  'SCMP_ARCH_ARM',
] as const;

function schemaOf(...names: string[]): ObjectSchema {
  return names.reduce((schema, name) => schema.properties[name] as ObjectSchema, specSchema as ObjectSchema);
}

/** Mostly with existing names and architectures. */
function profileOf(random: Random): LinuxSeccomp {
  const profile = randomValue(schemaOf('linux', 'seccomp'), random) as LinuxSeccomp;
  if (typeof profile !== 'object' || profile === null) return profile;
  if (Array.isArray(profile.syscalls)) {
    for (const entry of profile.syscalls) {
      if (typeof entry === 'object' && entry !== null)
        entry.names = Array.from({ length: random.below(40) + 1 }, () => random.pick(calls));
    }
  }
  if (!random.once(5)) profile.architectures = architectures.filter(() => random.once(3));
  return profile;
}

/** As in bpf_check_classic and seccomp_check_filter: no path leaves the program, and each ends with a return. */
function wrongIn(program: Buffer): string | undefined {
  const count = program.length / 8;
  if (!Number.isInteger(count) || count === 0 || count > 4096) return `${program.length} bytes`;
  for (let i = 0; i < count; i++) {
    const code = program.readUInt16LE(8 * i);
    const isJump = (code & 7) === 5;
    const [onTrue, onFalse, k] = [program[8 * i + 2] ?? 0, program[8 * i + 3] ?? 0, program.readUInt32LE(8 * i + 4)];
    const furthest = !isJump ? 0 : (code & 0xf0) === 0 ? k : Math.max(onTrue, onFalse);
    if (i + 1 + furthest >= count && (isJump || i + 1 < count)) return `instruction ${i} jumps out`;
    // A word of struct seccomp_data.
    if ((code & 7) === 0 && (code !== 0x20 || k % 4 !== 0 || k >= 64)) return `instruction ${i} loads ${k}`;
  }
  return program.readUInt16LE(8 * (count - 1)) === 6 ? undefined : 'no answer at the end';
}

t.test('profiles', { skip }, async (t) => {
  let accepted = 0;
  const count = rounds(600);
  for (let round = 0; round < count; round++) {
    const random = new Random(round);
    const seccomp = profileOf(random);
    const spec = { ociVersion: '1.3.0', root: { path: 'rootfs' }, linux: { seccomp } } as Spec;
    const text = JSON.stringify(spec);
    try {
      validateSpec(JSON.parse(text), { text, path: 'config.json' });
      const wrong = wrongIn(compileFilter(seccomp).program);
      if (wrong !== undefined) t.fail(`round ${round}: ${wrong}: ${text}`);
      accepted++;
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
    }
  }
  t.ok(accepted > count / 10 && accepted < count, `${accepted} of ${count} are accepted`);
});
