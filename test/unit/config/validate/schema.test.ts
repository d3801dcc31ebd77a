import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { SpecError } from '../../../../src/config/validate/finding.ts';
import { schemaErrors } from '../../../../src/config/validate/schema.ts';
import { validateSpec } from '../../../../src/config/validate/validate.ts';
import { Features, type Schema, Spec, State } from '../../../../src/generated/schema-tables.ts';
import { type Json, mutate, mutateInPlace, seededRandom } from '../../mutate.ts';
import { completeDocument, type DocumentKind, readJson } from './documents.ts';

const tables: Record<DocumentKind, Schema> = { config: Spec, state: State, features: Features };
const mutations = 2000;

for (const kind of ['config', 'state', 'features'] as const) {
  t.test(`${kind}: the walk over the tables gives the verdict of ajv on the schemas`, async (t) => {
    const isValid = ajv().getSchema(`${kind}.schema.json`);
    if (isValid === undefined) throw new Error(`no schema ${kind}`);
    const different: string[] = [];
    let refused = 0;
    for (const { value, what } of mutants(completeDocument(kind))) {
      const errors = schemaErrors(tables[kind], value);
      if (errors.length > 0) refused++;
      if (isValid(value) !== (errors.length === 0)) different.push(what);
    }
    t.strictSame(different, []);
    t.ok(refused > mutations / 10 && refused < (mutations * 9) / 10, `both verdicts occur (${refused} refused)`);
  });

  t.test(`${kind}: the complete document is valid and has every property of the schema`, async (t) => {
    const document = completeDocument(kind);
    t.strictSame(schemaErrors(tables[kind], document), []);
    t.strictSame(absent(tables[kind], document, ''), []);
  });
}

t.test('whatever is wrong, validation reports it and does not crash', async (t) => {
  const findings: string[] = [];
  for (const { value, what } of mutants(completeDocument('config'))) {
    const text = JSON.stringify(value);
    try {
      validateSpec(value, { text, path: 'config.json' });
    } catch (error) {
      if (!(error instanceof SpecError)) findings.push(`${what}: ${error}`);
    }
  }
  t.strictSame(findings, []);
});

/** Copies of the document with one to three mutations, the same ones in every run. */
function* mutants(document: Json): Generator<{ value: Json; what: string }> {
  const random = seededRandom(2);
  for (let count = 0; count < mutations; count++) {
    let mutant = mutate(document, random);
    for (let more = count % 3; more > 0; more--) {
      const next = mutateInPlace(mutant.value, random);
      mutant = { value: next.value, what: `${mutant.what}; ${next.what}` };
    }
    yield mutant;
  }
}

function ajv(): Ajv2020 {
  const folder = resolve('schemas');
  const names = readdirSync(folder).filter((name) => name.endsWith('.schema.json'));
  return new Ajv2020({ schemas: names.map((name) => readJson(`${folder}/${name}`) as object) });
}

/** Pointers of the schema's properties that the value does not have. */
function absent(schema: Schema, value: unknown, pointer: string): string[] {
  if (value === undefined) return [pointer];
  if (schema.kind === 'object') {
    return Object.entries(schema.properties).flatMap(([name, inner]) => {
      return absent(inner, (value as Record<string, unknown>)[name], `${pointer}/${name}`);
    });
  }
  const inner = schema.kind === 'array' ? schema.items : schema.kind === 'map' ? schema.values : undefined;
  if (inner?.kind !== 'object') return [];
  const perItem = Object.values(value as object).map((item) => absent(inner, item, `${pointer}/*`));
  // A property counts as present if one of the items has it.
  return perItem.reduce((all, one) => all.filter((name) => one.includes(name)), perItem[0] ?? [`${pointer}/*`]);
}
