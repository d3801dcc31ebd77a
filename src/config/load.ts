import type { Spec } from '../generated/spec.ts';
import { isLogged, type LogLevel, log, logFinding } from '../log.ts';
import { type BundleConfig, readBundleConfig } from './read/read.ts';
import { locate, type NamedProblem, type SpecSource } from './validate/places.ts';
import { validateSpec } from './validate/validate.ts';

export interface LoadedBundle {
  spec: Spec;
  source: SpecSource;
}

/** Runs a step and notes how long it takes. */
export type Timed = <T>(step: string, from: string, action: () => T) => T;

const untimed: Timed = (_step, _from, action) => action();

function levelOf({ harmless }: NamedProblem): LogLevel {
  return harmless ? 'info' : 'warning';
}

/** Sections that the specification defines for other platforms. */
const otherPlatforms = ['solaris', 'windows', 'vm', 'zos', 'freebsd'] as const;

/**
 * Reads and validates a bundle's config.json, or another file instead. Oddities are logged.
 *
 * @param timed takes the times of the steps, if they are wanted
 * @throws TsrunError when the file cannot be read or parsed
 * @throws SpecError, which lists all errors, when it is not a valid Spec
 */
export function loadBundle(bundle: string, file?: string, timed: Timed = untimed): LoadedBundle {
  return loadConfig(
    timed('read', 'config', () => readBundleConfig(bundle, file)),
    timed,
  );
}

/** The same for a config that has been read already, or comes from elsewhere. */
export function loadConfig({ value, text, path }: BundleConfig, timed: Timed = untimed): LoadedBundle {
  const validated = timed('validate', 'config', () => validateSpec(value, { text, path }));
  const { spec } = validated;
  for (const platform of otherPlatforms) {
    if (spec[platform] !== undefined) log('debug', `${path}: /${platform} is for another platform and not read`);
  }
  // Places are looked up only for problems that are printed: this takes longer than all of validation.
  const printed = validated.odd.filter((problem) => isLogged(levelOf(problem)));
  for (const finding of locate(printed, { text, path })) {
    const { line, column } = finding;
    logFinding(levelOf(finding), { ...finding, place: { path, text, line, column } });
  }
  return { spec, source: { text, path } };
}
