import type { DeviceRule } from '../generated/ops.ts';
import { maskOf, type typeNumbers } from './bpf-instructions.ts';

/** The access that is allowed to a device: bits of BPF_DEVCG_ACC_*. */
type Mask = number;

/** What a list of rules means for devices of one type. */
export interface TypeTable {
  /** For devices that no entry below names. */
  readonly rest: Mask;
  /** For devices with these minor numbers and any major that is not in `majors`. */
  readonly minors: ReadonlyMap<number, Mask>;
  /** Sorted by number. */
  readonly majors: readonly MajorTable[];
}

export interface MajorTable {
  readonly major: number;
  /** For its other minors; undefined: as if the major were not named. */
  readonly rest: Mask | undefined;
  /** Sorted by number. */
  readonly minors: readonly (readonly [minor: number, mask: Mask])[];
}

/**
 * The last rule that decided about reading, writing and mknod, by bit of the access: twice its place in the list, plus
 * one if it allows. So the largest of several is the last rule, and it is odd if it allows.
 */
type Decisions = [number, number, number];

const undecided: Readonly<Decisions> = [-2, -2, -2];

/** The decisions for each set of devices that rules name: all, a major, a minor, one device. */
class Scopes {
  readonly rest: Decisions = [...undecided];
  readonly majors = new Map<number, Decisions>();
  readonly minors = new Map<number, Decisions>();
  readonly devices = new Map<number, Map<number, Decisions>>();

  constructor(rules: readonly DeviceRule[], type: 'b' | 'c') {
    rules.forEach((rule, index) => {
      if (rule.type !== 'a' && rule.type !== type) return;
      const mask = maskOf(rule.access);
      const decision = index * 2 + (rule.allow ? 1 : 0);
      const decisions = this.of(rule);
      if ((mask & 1) !== 0) decisions[0] = decision;
      if ((mask & 2) !== 0) decisions[1] = decision;
      if ((mask & 4) !== 0) decisions[2] = decision;
    });
  }

  /** For a device in several scopes, the last rule of them all decides. */
  mask(major: number | undefined, minor: number | undefined): Mask {
    const ofMajor = (major !== undefined && this.majors.get(major)) || undecided;
    const ofMinor = (minor !== undefined && this.minors.get(minor)) || undecided;
    const own = (major !== undefined && minor !== undefined && this.devices.get(major)?.get(minor)) || undecided;
    const allowed = (bit: 0 | 1 | 2) => Math.max(this.rest[bit], ofMajor[bit], ofMinor[bit], own[bit]) & 1;
    return allowed(0) | (allowed(1) << 1) | (allowed(2) << 2);
  }

  private of({ major, minor }: DeviceRule): Decisions {
    if (major === null && minor === null) return this.rest;
    if (minor === null) return entry(this.majors, major as number, newDecisions);
    if (major === null) return entry(this.minors, minor, newDecisions);
    const ofMajor = entry(this.devices, major, () => new Map<number, Decisions>());
    return entry(ofMajor, minor, newDecisions);
  }
}

/**
 * Computes in advance what a list of rules says about each device that it names, so that an answer takes one look-up
 * and not a walk through the list.
 *
 * @returns undefined if rules name both many majors and many minors: their product would be too large
 */
export function tableOf(rules: readonly DeviceRule[], type: keyof typeof typeNumbers): TypeTable | undefined {
  const scopes = new Scopes(rules, type);
  if (scopes.minors.size > 256 || scopes.minors.size * scopes.majors.size > 65_536) return undefined;
  const minors = new Map([...scopes.minors.keys()].map((minor) => [minor, scopes.mask(undefined, minor)]));
  const rest = scopes.mask(undefined, undefined);
  const numbers = [...new Set([...scopes.majors.keys(), ...scopes.devices.keys()])].sort((a, b) => a - b);
  const majors = numbers.map((major) => majorTable(scopes, major, rest, minors)).filter(saysAnything);
  return { rest, minors, majors };
}

function majorTable(scopes: Scopes, major: number, rest: Mask, minors: ReadonlyMap<number, Mask>): MajorTable {
  const own = scopes.majors.has(major) ? scopes.mask(major, undefined) : undefined;
  // If the major has its own decision, minors that are named for every major must be listed below it.
  const named = [...(own === undefined ? [] : minors.keys()), ...(scopes.devices.get(major)?.keys() ?? [])];
  const list = [...new Set(named)]
    .sort((a, b) => a - b)
    .map((minor) => [minor, scopes.mask(major, minor)] as const)
    .filter(([minor, mask]) => mask !== (own ?? minors.get(minor) ?? rest));
  return { major, rest: own === rest && minors.size === 0 ? undefined : own, minors: list };
}

function saysAnything({ rest, minors }: MajorTable): boolean {
  return rest !== undefined || minors.length > 0;
}

function newDecisions(): Decisions {
  return [...undecided];
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
