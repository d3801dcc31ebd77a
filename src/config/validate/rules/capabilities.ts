/**
 * Capabilities (config.md; capabilities(7)). Only warnings: by the specification, a capability that is unknown or
 * cannot be granted is reported, and the container runs without it.
 */

import type { LinuxCapabilities, Spec } from '../../../generated/spec.ts';
import { capabilityNames } from '../../../linux/capabilities.ts';
import { didYouMean } from '../../../suggest.ts';
import { type Problem, show } from '../finding.ts';
import type { Rule } from './rule.ts';

type CapabilitySet = keyof LinuxCapabilities;

const sets: readonly CapabilitySet[] = ['bounding', 'permitted', 'effective', 'inheritable', 'ambient'];

const known: readonly string[] = capabilityNames;
const isKnown = new Set(known);

export const capabilityWarnings: Rule[] = [
  {
    name: 'capability-unknown',
    reads: ['/process/capabilities'],
    check: ({ process }) => unknownCapabilities(process?.capabilities ?? {}),
  },
  {
    name: 'capability-not-permitted',
    reads: ['/process/capabilities'],
    check: (spec) => notIn(spec, 'effective', 'permitted', 'so it is made permitted too'),
  },
  {
    name: 'capability-ambient',
    reads: ['/process/capabilities'],
    check: (spec) => [
      ...notIn(spec, 'ambient', 'permitted', 'so the kernel does not raise it'),
      ...notIn(spec, 'ambient', 'inheritable', 'so the kernel does not raise it'),
    ],
  },
];

/** One warning for each name, however many sets have it. */
function unknownCapabilities(capabilities: LinuxCapabilities): Problem[] {
  const reported = new Set<string>();
  return sets.flatMap((set) => {
    return (capabilities[set] ?? []).flatMap((name, index) => {
      if (isKnown.has(name) || reported.has(name)) return [];
      reported.add(name);
      const pointer = `/process/capabilities/${set}/${index}`;
      const message = `unknown capability ${show(name)}, not granted`;
      return [{ pointer, message, hint: () => hintFor(name, capabilities, set) }];
    });
  });
}

function hintFor(name: string, capabilities: LinuxCapabilities, reported: CapabilitySet): string {
  const others = sets.filter((set) => set !== reported && capabilities[set]?.includes(name));
  const meant = didYouMean(name, known) ?? 'leave it out: capabilities(7) lists all';
  return others.length === 0 ? meant : `${meant} (the same in ${others.join(', ')})`;
}

/**
 * Capabilities of one set that are missing from another, where the kernel needs them. One warning for all of them: what
 * `crun spec` writes has three ambient ones that are not inheritable.
 *
 * @param effect of one such capability
 */
function notIn(spec: Spec, set: CapabilitySet, needed: CapabilitySet, effect: string): Problem[] {
  const capabilities = spec.process?.capabilities ?? {};
  const given = capabilities[set] ?? [];
  const granted = new Set(capabilities[needed] ?? []);
  const missing = given.filter((capability) => !granted.has(capability) && isKnown.has(capability));
  const [first] = missing;
  if (first === undefined) return [];
  const where = `not in /process/capabilities/${needed}`;
  const at = `/process/capabilities/${set}`;
  if (missing.length > 1) {
    const effectOfAll = effect.replace(' it is ', ' they are ').replace(/ it$/, ' them');
    return [{ pointer: at, message: `${missing.join(', ')} are ${where}, ${effectOfAll}` }];
  }
  return [{ pointer: `${at}/${given.indexOf(first)}`, message: `${first} is ${where}, ${effect}` }];
}
