import type { DeviceRule } from '../generated/ops.ts';
import { defaultDeviceRules } from '../linux/device-rules.ts';
import {
  allAccess,
  contextLoaded,
  type Instruction,
  instruction,
  maskOf,
  opcode,
  register,
  typeNumbers,
  verdict,
} from './bpf-instructions.ts';
import { searchProgram } from './device-search.ts';
import { tableOf } from './device-table.ts';

/** With more rules, the verifier would have to follow too many paths through the list. */
const longList = 48;

export interface DeviceProgram {
  readonly instructions: Uint8Array;
  /** Whether many containers have this program. */
  readonly shared: boolean;
}

/** Returns the program for these rules, ready-made for the lists that most containers have. */
export function deviceProgram(rules: readonly DeviceRule[]): DeviceProgram {
  const living = withoutDeadRules(rules);
  const instructions = sharedPrograms.find((shared) => isSameList(shared.rules, living))?.instructions;
  return { instructions: instructions ?? compile(living), shared: instructions !== undefined };
}

/**
 * Compiles device rules to a BPF_PROG_TYPE_CGROUP_DEVICE program (bpf(2), struct bpf_cgroup_dev_ctx).
 *
 * Each kind of access (read, write, mknod) is decided by the last rule that matches the device and names that kind;
 * without such a rule it is refused. So if one rule allows reading a device and another allows writing it, it may be
 * opened for both, and a rule that takes writing away takes read-and-write away. That is what the list says; a test for
 * "all of the rule's access at once" would get both cases wrong.
 */
function compile(rules: readonly DeviceRule[]): Uint8Array {
  const parts = (rules.length > longList ? searchOf(rules) : undefined) ?? walkOf(rules);
  return new Uint8Array(new Uint32Array([contextLoaded, ...parts, verdict(0)].flat(2)).buffer);
}

/** Walks the rules from last to first, and clears each kind of access that is decided. */
function walkOf(rules: readonly DeviceRule[]): (readonly Instruction[] | readonly number[])[] {
  return [...rules].reverse().map((rule) => compiledDefaults.get(rule) ?? compileRule(rule));
}

/** Looks the device up among those that the rules name; undefined if they have no short table. */
function searchOf(rules: readonly DeviceRule[]): Instruction[][] | undefined {
  const tables = [tableOf(rules, 'c'), tableOf(rules, 'b')];
  const [characters, blocks] = tables;
  if (characters === undefined || blocks === undefined) return undefined;
  return [searchProgram('c', characters), searchProgram('b', blocks)];
}

/**
 * Leaves out rules that decide nothing: those before a rule that matches everything; that rule itself if it denies,
 * because denial is the default; and copies of the default rules, which come last anyway.
 */
function withoutDeadRules(rules: readonly DeviceRule[]): DeviceRule[] {
  const last = rules.findLastIndex(
    ({ type, major, minor, access }) =>
      type === 'a' && major === null && minor === null && maskOf(access) === allAccess,
  );
  const living = rules.slice(last >= 0 && rules[last]?.allow === false ? last + 1 : Math.max(last, 0));
  const own = living.length - defaultDeviceRules.length;
  if (own <= 0 || living[own] !== defaultDeviceRules[0]) return living;
  return living.filter((rule, index) => index >= own || !defaultDeviceRules.some((other) => isSameRule(rule, other)));
}

function isSameList(a: readonly DeviceRule[], b: readonly DeviceRule[]): boolean {
  return a.length === b.length && a.every((rule, index) => isSameRule(rule, b[index] as DeviceRule));
}

function isSameRule(a: DeviceRule, b: DeviceRule): boolean {
  if (a === b) return true;
  const isSameDevice = a.type === b.type && a.major === b.major && a.minor === b.minor;
  return isSameDevice && a.allow === b.allow && a.access === b.access;
}

function compileRule(rule: DeviceRule): Instruction[] {
  const body = rule.allow ? allowed(maskOf(rule.access)) : denied(maskOf(rule.access));
  const tests: [number, number][] = [];
  if (rule.type !== 'a') tests.push([register.type, typeNumbers[rule.type]]);
  if (rule.major !== null) tests.push([register.major, rule.major]);
  if (rule.minor !== null) tests.push([register.minor, rule.minor]);
  // A jump counts from the instruction after it.
  const jumps = tests.map(([to, immediate], index) => {
    const offset = tests.length - index - 1 + body.length;
    return instruction(opcode.jumpNotEqual, { to, immediate, offset });
  });
  return [...jumps, ...body];
}

/** Clears the allowed bits; if none is left undecided, the answer is yes. */
function allowed(mask: number): Instruction[] {
  const rest = allAccess & ~mask;
  return [
    instruction(opcode.and, { to: register.access, immediate: rest }),
    instruction(opcode.jumpNotEqual, { to: register.access, immediate: 0, offset: 2 }),
    ...verdict(1),
  ];
}

/** If one undecided bit is refused, the whole access is. */
function denied(mask: number): Instruction[] {
  return [
    instruction(opcode.jumpIfSet, { to: register.access, immediate: mask, offset: 1 }),
    // Jumps over the verdict, because BPF has no "jump if not set".
    instruction(opcode.jump, { offset: 2 }),
    ...verdict(0),
  ];
}

/** Every container has these. The executable starts from a snapshot of its heap, which holds them compiled. */
const compiledDefaults = new Map(defaultDeviceRules.map((rule) => [rule, compileRule(rule).flat()]));

/** docker's list also has the console. */
const dockerConsole: DeviceRule = { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' };

/**
 * The lists of nearly all containers; the executable's snapshot has their programs. Each takes one more place in the
 * bpffs.
 */
const sharedPrograms = [defaultDeviceRules, [dockerConsole, ...defaultDeviceRules]].map((rules) => {
  return { rules, instructions: compile(rules) };
});
