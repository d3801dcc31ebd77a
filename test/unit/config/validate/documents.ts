import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Json } from '../../mutate.ts';

export type DocumentKind = 'config' | 'state' | 'features';

/** Folder of the specification's own schemas and fixtures; npm test runs in the root of the checkout. */
export const officialFolder = process.env.TSRUN_OCI_SPEC ?? resolve('../shared/oci-spec');

/** A valid document of ours in which every property of its schema is set. */
export function completeDocument(kind: DocumentKind): Json {
  const name = kind === 'config' ? 'complete' : kind;
  return readJson(resolve(`test/unit/config/validate/fixtures/${name}.json`)) as Json;
}

/** The specification's fixtures, good and bad ones, without those that are not JSON. */
export function officialFixtures(kind: DocumentKind): [name: string, document: Json][] {
  return ['good', 'bad'].flatMap((verdict) => {
    const folder = `${officialFolder}/test/${kind}/${verdict}`;
    return readdirSync(folder).flatMap((name): [string, Json][] => {
      const document = readJson(`${folder}/${name}`);
      return document === undefined ? [] : [[`${verdict}/${name}`, document]];
    });
  });
}

export function readJson(path: string): Json | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
