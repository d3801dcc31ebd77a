import { existsSync } from 'node:fs';
import type { ErrorObject, ValidateFunction } from 'ajv';
import t from 'tap';
import { appendPointer } from '../../../../src/config/read/pointer.ts';
import { type SchemaError, schemaErrors } from '../../../../src/config/validate/schema.ts';
import { Features, type Schema, Spec, State } from '../../../../src/generated/schema-tables.ts';
import { type Json, mutate, replaceEach, seededRandom } from '../../mutate.ts';
import { completeDocument, type DocumentKind, officialFixtures, officialFolder } from './documents.ts';
import { officialValidator } from './official.ts';

/** Where our schemas refuse what the official ones accept: pointer of the error, and why. */
const stricter: [at: RegExp, reason: string][] = [
  [/^\/root$/, 'config.md: root is REQUIRED on all platforms but Windows'],
  [/^\/process\/args$/, 'config.md: args is REQUIRED and has at least one entry on POSIX platforms'],
  [/^\/process\/rlimits\/\d+\/type$/, 'config.md: a type with no kernel interface MUST be an error'],
  [/^\/linux\/personality\/domain$/, 'config-linux.md: domain is REQUIRED'],
  [
    /^\/linux\/resources\/devices\/\d+\/(?:type|access)$/,
    'config-linux.md: a, b or c, and a composition of r, w and m',
  ],
  [/^\/linux\/resources\/memory\/swappiness$/, 'config-linux.md: from 0 to 100'],
  [/^\/linux\/resources\/blockIO\/throttle\w+\/\d+\/rate$/, 'config-linux.md: rate is REQUIRED'],
  [/^\/linux\/intelRdt\/(?:schemata|monitoring)$/, 'features-linux.md: has what the schema does not describe'],
  [/^\/linux\/memoryPolicy(?:\/|$)/, 'features-linux.md: has what the schema does not describe'],
];

/** Where our schemas accept what the official ones refuse. */
const looser: [at: RegExp, reason: string][] = [
  [/^\/(?:solaris|windows|vm|zos|freebsd)(?:\/|$)/, 'the sections of other platforms are not read'],
  [/^\/linux\/devices\/\d+\/fileMode$/, 'config-linux.md: an uint32, which has the set-id and sticky bits too'],
  [/^\/linux\/rootfsPropagation$/, 'containerd writes the recursive forms; Go writes an unset string as an empty one'],
  [/^\/linux\/intelRdt\/memBwSchema$/, 'Go writes an unset string as an empty one'],
  [/^\/status$/, 'runtime.md: a runtime MAY define more values, and all have paused'],
];

/** The patterns above that have excused a difference. */
const used = new Set<RegExp>();

const tables: Record<DocumentKind, Schema> = { config: Spec, state: State, features: Features };
const mutationsOfComplete = 1000;
const mutationsOfFixture = 150;

const skip = existsSync(`${officialFolder}/config-schema.json`) ? false : `no official schemas in ${officialFolder}`;

for (const kind of ['config', 'state', 'features'] as const) {
  t.test(`${kind}: the same verdict as the official schema’s, or a listed reason`, { skip }, async (t) => {
    const official = officialValidator(kind);
    const unlisted: string[] = [];
    let compared = 0;
    for (const [what, document] of documents(kind)) {
      compared++;
      unlisted.push(...unlistedDifferences(kind, official, document).map((at) => `${what}: ${at}`));
    }
    t.strictSame(unlisted, []);
    t.ok(compared > mutationsOfComplete, `${compared} documents compared`);
  });
}

t.test('no listed reason is out of date', { skip }, async (t) => {
  const unused = [...stricter, ...looser].filter(([pattern]) => !used.has(pattern));
  t.strictSame(unused, []);
});

/** The fixtures and the complete document, mutations of each, and each property replaced by values of all types. */
function* documents(kind: DocumentKind): Generator<[string, Json]> {
  for (const { value, what } of replaceEach(completeDocument(kind))) yield [what, value];
  const random = seededRandom(3);
  const bases: [string, Json, number][] = [['complete', completeDocument(kind), mutationsOfComplete]];
  for (const [name, document] of officialFixtures(kind)) bases.push([name, document, mutationsOfFixture]);
  for (const [name, document, count] of bases) {
    yield [name, document];
    for (let index = 0; index < count; index++) {
      const { value, what } = mutate(document, random);
      yield [`${name}, ${what}`, value];
    }
  }
}

/** Places where one of the two schemas finds an error, the other accepts the document, and no reason is listed. */
function unlistedDifferences(kind: DocumentKind, official: ValidateFunction, document: Json): string[] {
  const ours = schemaErrors(tables[kind], document).map(placeOfOurs);
  const theirs = official(document) ? [] : (official.errors ?? []).map(placeOfTheirs);
  if (ours.length > 0 === theirs.length > 0) return [];
  const listed = ours.length > 0 ? stricter : looser;
  const unlisted = [...ours, ...theirs].filter((at) => !isListed(at, listed));
  return unlisted.map((at) => `${ours.length > 0 ? 'only we' : 'only they'} refuse ${at}`);
}

function isListed(at: string, listed: typeof stricter): boolean {
  const entry = listed.find(([pattern]) => pattern.test(at));
  if (entry !== undefined) used.add(entry[0]);
  return entry !== undefined;
}

function placeOfOurs({ path, missing }: SchemaError): string {
  return [...path, ...(missing === undefined ? [] : [missing])].reduce<string>(appendPointer, '');
}

function placeOfTheirs({ instancePath, keyword, params }: ErrorObject): string {
  return keyword === 'required' ? `${instancePath}/${params.missingProperty}` : instancePath;
}
