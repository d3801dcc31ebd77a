/** Makes docs/support.md from the schemas, the op table and a plan of a config that has every property. */
import ops from '../../schemas/ops.json';
import type { Op } from '../../src/generated/ops.ts';
import type { Spec } from '../../src/generated/spec.ts';
import { flags as seccompFlags } from '../../src/linux/seccomp.ts';
import { lower } from '../../src/lower/create-plan.ts';
import { oldestKernel } from '../../src/lower/kernel.ts';
import { v1OnlyProperties } from '../../src/lower/limits/v1-only.ts';
import { lowerExecAffinity } from '../../src/lower/process/cpu-affinity.ts';
import { memoryPolicyFlags, memoryPolicyModes } from '../../src/lower/process/memory-policy.ts';
import { everything, without } from '../../test/unit/lower/everything.ts';
import { capableHost } from '../../test/unit/lower/host.ts';
import { linuxProperties } from './schema-properties.ts';

export const baseline = oldestKernel.join('.');

/** Properties that no op carries out, and what does instead. */
const elsewhere: Readonly<Record<string, string>> = {
  '/ociVersion': 'any 1.x is accepted; shown by `state`',
  '/annotations':
    'shown by `state` and to hooks; `org.criu.config`, `org.systemd.property.*`, `run.oci.keep_original_groups` and ' +
    '`run.oci.mount_context_type` act',
  '/hooks/poststart': 'run by `start`',
  '/hooks/poststop': 'run by `delete`',
  '/linux/personality/flags': 'the specification defines none: any is an error',
  '/linux/resources/memory/useHierarchy': 'always so with cgroup v2; `false` is an error',
};

/** Properties that the ops of another one carry out too. */
const together: Readonly<Record<string, string>> = {
  '/process/consoleSize': '/process/terminal',
  '/process/env': '/process/args',
  '/linux/gidMappings': '/linux/uidMappings',
  '/linux/mountLabel': '/mounts',
  '/mounts/*/gidMappings': '/mounts/*/uidMappings',
  '/linux/resources/cpu/period': '/linux/resources/cpu/quota',
};

/** Properties that need a later kernel than the baseline, and which. */
const laterKernels: Readonly<Record<string, string>> = {
  '/mounts/*/options': `${baseline}; idmap and ridmap by filesystem`,
  '/mounts/*/uidMappings': `${baseline}, by filesystem`,
  '/mounts/*/gidMappings': `${baseline}, by filesystem`,
  '/linux/resources/cpu/idle': '5.15',
  '/linux/memoryPolicy/mode': versionsOf(memoryPolicyModes),
  '/linux/memoryPolicy/flags': versionsOf(memoryPolicyFlags),
  '/linux/seccomp/flags': versionsOf(seccompFlags),
};

/** `5.15 for A, 6.9 for B`: the entries of a table that need more than the baseline. */
function versionsOf(table: Readonly<Record<string, { since: string | readonly number[] }>>): string {
  const later = Object.entries(table)
    .map(([name, { since }]) => ({ name, version: typeof since === 'string' ? since : since.join('.') }))
    .filter(({ version }) => isLater(version));
  return later.length === 0 ? baseline : later.map(({ name, version }) => `${version} for ${name}`).join(', ');
}

function isLater(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [baseMajor = 0, baseMinor = 0] = baseline.split('.').map(Number);
  return major > baseMajor || (major === baseMajor && minor > baseMinor);
}

/** The whole of docs/support.md. */
export function supportText(): string {
  const carriedOut = opsByProperty();
  const rows = linuxProperties()
    .filter(({ leaf }) => leaf)
    .map(({ pattern }) => `| \`${pattern}\` | ${howOf(pattern, carriedOut)} | ${kernelOf(pattern)} |`);
  const opRows = (by: 'runtime' | 'init') => ops[by].map(({ op, doc }) => `| \`${op}\` | ${by} | ${doc} |`);
  return [
    '<!-- Written by scripts/generate-support.mjs: do not edit. -->',
    '# What tsrun carries out',
    '',
    'Every property of the runtime-spec 1.3 for Linux, the operations of the plan that carry it out (`tsrun plan` shows',
    `them for a config), and the kernel it needs. tsrun as a whole needs Linux ${baseline}. \`tsrun check\` says`,
    'which properties of a config this host cannot honour.',
    '',
    '| property | carried out by | Linux |',
    '|---|---|---|',
    ...rows,
    '',
    '## The operations',
    '',
    '| operation | run by | what it does |',
    '|---|---|---|',
    ...opRows('runtime'),
    ...opRows('init'),
    '',
  ].join('\n');
}

/** Names of the ops by the pattern of the property they come from. */
export function opsByProperty(): Map<string, Set<string>> {
  const patterns = linuxProperties().map(({ pattern }) => pattern);
  const found = new Map<string, Set<string>>();
  for (const { from, op } of opsOfEverything()) {
    const pattern = patternOf(from, patterns);
    found.set(pattern, (found.get(pattern) ?? new Set()).add(op));
  }
  return found;
}

/** The ops of a config that has every property. */
export function opsOfEverything(): Op[] {
  const spec = without(everything(), v1OnlyProperties);
  const { initial, final } = lowerExecAffinity(spec);
  // Without a user namespace, other ops do some of the work.
  const plans = [spec, withoutUserNamespace(spec)].map((each) =>
    lower(each, capableHost(), { id: 'id', bundle: '/b' }),
  );
  return [...plans.flatMap((plan) => plan.ops), ...initial, ...final];
}

function withoutUserNamespace(spec: Spec): Spec {
  const { uidMappings: _uids, gidMappings: _gids, namespaces = [], ...linux } = spec.linux ?? {};
  return { ...spec, linux: { ...linux, namespaces: namespaces.filter(({ type }) => type !== 'user') } };
}

/**
 * The pattern of a pointer: for `/mounts/3/source` it is `/mounts/*` + `/source`, and for an item of a list it is the
 * list's.
 */
export function patternOf(pointer: string, patterns: readonly string[]): string {
  for (let names = pointer.split('/'); names.length > 1; names = names.slice(0, -1)) {
    const found = patterns.find((pattern) => isMatch(pattern.split('/'), names));
    if (found !== undefined) return found;
  }
  return pointer;
}

function isMatch(pattern: readonly string[], names: readonly string[]): boolean {
  return pattern.length === names.length && pattern.every((name, i) => name === '*' || name === names[i]);
}

/** The ops of the property, or of the nearest property around it that has any. */
function howOf(pattern: string, carriedOut: ReadonlyMap<string, ReadonlySet<string>>): string {
  const names = opsOf(pattern, carriedOut);
  return typeof names === 'string' ? names : names.map((name) => `\`${name}\``).join(', ');
}

/** The same as a list of names, or what else carries it out. */
export function opsOf(pattern: string, carriedOut: ReadonlyMap<string, ReadonlySet<string>>): string[] | string {
  if (v1OnlyProperties.some((entry) => isWithin(pattern, entry))) return 'only cgroup v1 has it: an error';
  const note = Object.entries(elsewhere).find(([entry]) => isWithin(pattern, entry));
  if (note !== undefined) return note[1];
  for (let at = pattern; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const names = carriedOut.get(together[at] ?? at);
    if (names !== undefined) return [...names];
  }
  throw new Error(`nothing carries out ${pattern}: name what does in scripts/lib/support.ts`);
}

export function kernelOf(pattern: string): string {
  if (v1OnlyProperties.some((entry) => isWithin(pattern, entry))) return '';
  return Object.entries(laterKernels).find(([entry]) => isWithin(pattern, entry))?.[1] ?? baseline;
}

function isWithin(pattern: string, entry: string): boolean {
  return pattern === entry || pattern.startsWith(`${entry}/`);
}
