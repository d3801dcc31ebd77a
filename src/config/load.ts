import type { Spec } from '../generated/spec.ts';
import { isLogged, log, logFinding } from '../log.ts';
import { type BundleConfig, readBundleConfig } from './read/read.ts';
import { showFinding } from './validate/finding.ts';
import { type SpecSource, validateSpec } from './validate/validate.ts';

export interface LoadedBundle {
  spec: Spec;
  source: SpecSource;
}

/** Sections that the specification has for other platforms. */
const otherPlatforms = ['solaris', 'windows', 'vm', 'zos', 'freebsd'] as const;

/**
 * Reads and validates a bundle's config.json, or another file in its place. What is odd about it is logged.
 *
 * @throws TsrunError when it cannot be read or parsed
 * @throws SpecError, which lists all errors, when it is no valid Spec
 */
export function loadBundle(bundle: string, file?: string): LoadedBundle {
  return loadConfig(readBundleConfig(bundle, file));
}

/** The same of a config that has been read, or comes from elsewhere. */
export function loadConfig({ value, text, path }: BundleConfig): LoadedBundle {
  const validated = validateSpec(value, { text, path });
  const { spec } = validated;
  for (const platform of otherPlatforms) {
    if (spec[platform] !== undefined) log('debug', `${path}: /${platform} is for another platform and not read`);
  }
  if (isLogged('warning')) {
    for (const finding of validated.warnings) {
      const { line, column, harmless } = finding;
      const placed = { ...finding, place: { path, text, line, column } };
      logFinding(harmless ? 'info' : 'warning', placed, () => showFinding(finding, path));
    }
  }
  return { spec, source: { text, path } };
}
