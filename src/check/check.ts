import { exactIntegers } from '../config/read/exact-integers.ts';
import { type BundleConfig, readBundleConfig } from '../config/read/read.ts';
import { type Finding, type Problem, SpecError } from '../config/validate/finding.ts';
import { locate, type SpecSource } from '../config/validate/places.ts';
import { warningRules } from '../config/validate/rules/index.ts';
import { applyRules, unknownProperties, validateSpec } from '../config/validate/validate.ts';
import type { TsrunError } from '../errors.ts';
import type { Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import type { LowerOptions } from '../lower/context.ts';
import { rootfsPath } from '../lower/mounts/rootfs-path.ts';
import { acceptedPart } from './accepted.ts';
import type { CheckContext } from './context.ts';
import { type HostCheck, hostErrors, hostWarnings } from './host-checks.ts';
import { loweringProblems } from './lowering.ts';
import type { Probe } from './probe.ts';
import { Remainder } from './remainder.ts';

/** Everything that is wrong with a bundle on this host, and everything that is odd. */
export interface Report {
  /** Path of config.json. */
  readonly path: string;
  readonly text: string;
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** The findings about a bundle, each with its place. */
type Found = Pick<Report, 'errors' | 'warnings'>;

/**
 * Validates a bundle's config and checks whether this host can honour it, both in one go: the host is asked only about
 * what validation accepts. Changes nothing.
 *
 * @param config absolute path of a file to read instead of the bundle's config.json
 * @throws TsrunError when there is no config.json, or it is not JSON
 */
export function checkBundle(options: LowerOptions, host: HostFacts, probe: Probe, config?: string): Report {
  return checkConfig(readBundleConfig(options.bundle, config), options, host, probe);
}

/** The same for a config that has been read already, or comes from elsewhere. */
export function checkConfig(source: BundleConfig, options: LowerOptions, host: HostFacts, probe: Probe): Report {
  const unknown = unknownProperties(source.value, source);
  const found = checkValue(source.value, source, (rest) => checkHost(rest, source, options, host, probe));
  return {
    path: source.path,
    text: source.text,
    errors: found.errors,
    warnings: sorted([...unknown, ...found.warnings]),
  };
}

/** A program's report about a text that is missing or not JSON. */
export function unreadable(error: TsrunError, path: string): Report {
  const { place, text, message, hint } = error;
  const finding = { rule: 'json', pointer: '', message: place === undefined ? message : text, hint };
  const { line, column } = place ?? { line: 1, column: 1 };
  return { path, text: place?.text ?? '', errors: [{ ...finding, line, column }], warnings: [] };
}

function checkValue(value: unknown, source: SpecSource, ask: (rest: Remainder) => Found): Found {
  try {
    return ask(new Remainder(validateSpec(value, source).spec));
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    const accepted = acceptedPart(value, source, error);
    if (accepted === undefined) return { errors: error.findings, warnings: [] };
    const { rest, more } = accepted;
    const found = ask(rest);
    // A consequence of what was left out is not the config's fault.
    const isOwn = ({ pointer }: Finding) => !rest.isTouched(pointer);
    return {
      errors: sorted([...error.findings, ...locate(more, source), ...found.errors.filter(isOwn)]),
      warnings: found.warnings.filter(isOwn),
    };
  }
}

function checkHost(rest: Remainder, source: SpecSource, options: LowerOptions, host: HostFacts, probe: Probe): Found {
  const spec = rest.value as Spec;
  const rootfs = rootfsPath({ spec, options });
  const { bundle, cgroupManager = 'cgroupfs' } = options;
  const context: CheckContext = { spec, host, bundle, rootfs, cgroupManager, probe };
  const exact = exactIntegers(source.text);
  const exactInteger = (pointer: string) => exact(rest.originalOf(pointer));
  const lowered = loweringProblems(spec, host, { ...options, exactInteger });
  const errors = [...named('lowering', lowered.errors), ...run(hostErrors, context)];
  const warnings = [
    ...applyRules(warningRules, spec, []),
    ...named('lowering', lowered.warnings),
    ...run(hostWarnings, context),
  ];
  const placed = (problems: typeof errors) =>
    locate(
      problems.map((problem) => ({ ...problem, pointer: rest.originalOf(problem.pointer) })),
      source,
    );
  return { errors: placed(withoutRepeats(errors)), warnings: placed(warnings) };
}

/** Two checks may find the same: a mount that lowering refuses is not reported again in other words. */
function withoutRepeats<T extends Problem>(problems: readonly T[]): T[] {
  const seen = new Set<string>();
  return problems.filter(({ pointer }) => {
    const isRepeated = pointer !== '' && seen.has(pointer);
    seen.add(pointer);
    return !isRepeated;
  });
}

function run(checks: readonly HostCheck[], context: CheckContext) {
  return checks.flatMap(({ name, check }) => named(name, check(context)));
}

function named(rule: string, problems: readonly Problem[]) {
  return problems.map((problem) => ({ rule, ...problem }));
}

function sorted(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => a.line - b.line || a.column - b.column);
}
