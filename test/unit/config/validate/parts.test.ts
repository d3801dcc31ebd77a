/**
 * Documents that are a part of a config: ajv's code accepts or refuses them, and the walk over the tables finds the
 * errors.
 */
import t from 'tap';
import { withPlace } from '../../../../src/config/locate.ts';
import { SpecError } from '../../../../src/config/validate/finding.ts';
import { validateProcess } from '../../../../src/config/validate/process.ts';
import { resourceProblems } from '../../../../src/config/validate/resources.ts';
import { schemaErrors } from '../../../../src/config/validate/schema.ts';
import { TsrunError } from '../../../../src/errors.ts';
import { type ObjectSchema, type Schema, Spec } from '../../../../src/generated/schema-tables.ts';
import { validateProcess as isProcess } from '../../../../src/generated/validate-process.ts';
import { validateResources as isResources } from '../../../../src/generated/validate-resources.ts';
import { type Json, mutate, seededRandom } from '../../mutate.ts';
import { completeDocument } from './documents.ts';

const mutations = 1000;

interface Part {
  at: string[];
  isValid: (value: unknown) => boolean;
}

const parts: Record<string, Part> = {
  process: { at: ['process'], isValid: isProcess },
  resources: { at: ['linux', 'resources'], isValid: isResources },
};

for (const [name, { at, isValid }] of Object.entries(parts)) {
  t.test(`${name}: both verdicts are the same`, async (t) => {
    const schema = at.reduce<Schema>((outer, each) => (outer as ObjectSchema).properties[each] as Schema, Spec);
    const document = at.reduce<Json>(
      (outer, each) => (outer as Record<string, Json>)[each] as Json,
      completeDocument('config'),
    );
    t.ok(isValid(document));
    const random = seededRandom(3);
    const different: string[] = [];
    let refused = 0;
    for (let count = 0; count < mutations; count++) {
      const { value, what } = mutate(document, random);
      const errors = schemaErrors(schema, value);
      if (errors.length > 0) refused++;
      if (isValid(value) !== (errors.length === 0)) different.push(what);
    }
    t.strictSame(different, []);
    t.ok(refused > mutations / 10 && refused < (mutations * 9) / 10, `both verdicts occur (${refused} refused)`);
  });
}

/** What validateProcess finds, as `line:column pointer message`. */
function findings(text: string): string[] {
  try {
    validateProcess(JSON.parse(text), { text, path: 'process.json' });
    return [];
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    return error.findings.map(({ line, column, pointer, message }) => `${line}:${column} ${pointer} ${message}`);
  }
}

t.test('process: wrong types, each with its place', async (t) => {
  t.match(findings('{"cwd": "/", "args": ["true"],\n  "env": "A=1",\n  "user": {"uid": "root"}}'), [
    /^2:10 \/env must be an array, found "A=1"$/,
    /^3:19 \/user\/uid must be .*, found "root"$/,
  ]);
  t.strictSame(findings('["true"]'), ['1:1  must be an object, found an array']);
  t.match(findings('{"cwd": "/"}'), [/^1:1 .*args/]);
});

t.test('process: unknown properties are ignored, and absent ones have their defaults', async (t) => {
  t.strictSame(findings('{"cwd": "/", "args": ["true"], "consoleColour": {"deep": [1]}}'), []);
});

t.test('later errors are about the document, too', async (t) => {
  const text = '{"cwd": "/process/args",\n "args": ["true"]}';
  const source = { text, path: 'process.json', base: '/process' };
  const said = (message: string, options: ConstructorParameters<typeof TsrunError>[1]) =>
    (withPlace(new TsrunError(message, options), source) as TsrunError).asLine;
  t.equal(
    said('wrong', { about: '/process/args/0', hint: 'set /process/terminal (or /process/env/0)' }),
    'process.json:2:11: /args/0: wrong (hint: set /terminal (or /env/0))',
  );
  t.equal(
    said('exec: E2BIG: /process/args and /process/env', { pointer: '/process' }),
    'exec: E2BIG: /args and /env (at process.json:1:1)',
  );
  const path = 'found "/process/args", chdir to /process/data, /srv/process/args';
  t.equal(said(path, { about: '/process/cwd' }), `process.json:1:9: /cwd: ${path}`, 'paths are no pointers');
  t.equal(said('wrong', { about: '/linux/sysctl' }), '/linux/sysctl: wrong', 'another part of the config');
});

t.test('resources: wrong types and broken rules, with pointers as in a config', async (t) => {
  const problems = resourceProblems({ memory: { limit: 'much', unknown: 1 }, pids: [], cpu: { shares: 1.5 }, odd: {} });
  t.strictSame(
    problems.map(({ pointer }) => pointer),
    ['/linux/resources/memory/limit', '/linux/resources/pids', '/linux/resources/cpu/shares'],
  );
  t.match(resourceProblems({ memory: { limit: 2, swap: 1 } }), [{ pointer: /memory/ }]);
  t.strictSame(resourceProblems({}), []);
});
