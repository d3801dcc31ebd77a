import { exactIntegers } from '../config/read/exact-integers.ts';
import { readBundleConfig } from '../config/read/read.ts';
import { type Finding, type Problem, SpecError } from '../config/validate/finding.ts';
import { locate, type SpecSource, unknownProperties, validateSpec } from '../config/validate/validate.ts';
import type { Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import type { LowerOptions } from '../lower/context.ts';
import { rootfsPath } from '../lower/mounts/rootfs-path.ts';
import type { CheckContext } from './context.ts';
import { type HostCheck, hostErrors, hostWarnings } from './host-checks.ts';
import { loweringProblems } from './lowering.ts';
import type { Probe } from './probe.ts';

/** All that is wrong with a bundle on this host, and all that is odd. */
export interface Report {
  /** Of config.json. */
  readonly path: string;
  readonly text: string;
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/**
 * Validates a bundle's config and asks whether this host can honour it. Touches nothing.
 *
 * @throws TsrunError when there is no config.json that is JSON
 */
export function checkBundle(options: LowerOptions, host: HostFacts, probe: Probe): Report {
  const source = readBundleConfig(options.bundle);
  const unknown = unknownProperties(source.value, source);
  try {
    const { spec, warnings } = validateSpec(source.value, source);
    const found = checkHost(spec, source, options, host, probe);
    return {
      path: source.path,
      text: source.text,
      errors: found.errors,
      warnings: sorted([...unknown, ...warnings, ...found.warnings]),
    };
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    // What the host can do is not asked before the config is right: too much of an answer would be wrong.
    return { path: source.path, text: source.text, errors: error.findings, warnings: unknown };
  }
}

function checkHost(
  spec: Spec,
  source: SpecSource,
  options: LowerOptions,
  host: HostFacts,
  probe: Probe,
): Pick<Report, 'errors' | 'warnings'> {
  const rootfs = rootfsPath({ spec, options });
  const { bundle, cgroupManager = 'cgroupfs' } = options;
  const context: CheckContext = { spec, host, bundle, rootfs, cgroupManager, probe };
  const lowered = loweringProblems(spec, host, { ...options, exactInteger: exactIntegers(source.text) });
  const errors = [...named('lowering', lowered.errors), ...run(hostErrors, context)];
  const warnings = [...named('lowering', lowered.warnings), ...run(hostWarnings, context)];
  return { errors: locate(errors, source), warnings: locate(warnings, source) };
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
