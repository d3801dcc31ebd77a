import t from 'tap';
import { type Finding, SpecError } from '../../../../src/config/validate/finding.ts';
import { errorRules, warningRules } from '../../../../src/config/validate/rules/index.ts';
import { validateSpec } from '../../../../src/config/validate/validate.ts';
import { type Example, exampleSpec } from './example.ts';
import { errorCases } from './rules-errors.ts';
import { warningCases } from './rules-warnings.ts';

t.test('the example is valid and without warnings', async (t) => {
  t.strictSame(findings(exampleSpec()), { errors: [], warnings: [] });
});

for (const { rule, what, change, at, says } of errorCases) {
  t.test(`${rule}: ${what}`, async (t) => {
    const { errors } = findings(changed(change));
    t.strictSame(
      errors.map((error) => [error.rule, error.pointer]),
      at === undefined ? [] : [[rule, at]],
    );
    if (says !== undefined) t.match(errors[0]?.message, says);
  });
}

for (const { rule, what, change, at, says } of warningCases) {
  t.test(`${rule}: ${what}`, async (t) => {
    const { errors, warnings } = findings(changed(change));
    t.strictSame(errors, [], 'it is no error');
    t.strictSame(
      warnings.map((warning) => [warning.rule, warning.pointer]),
      at === undefined ? [] : [[rule, at]],
    );
    if (says !== undefined) t.match(`${warnings[0]?.message} ${warnings[0]?.hint}`, says);
  });
}

t.test('each rule has a name of its own, and a case in which it finds something', async (t) => {
  const names = [...errorRules, ...warningRules].map(({ name }) => name);
  const tested = [...errorCases, ...warningCases].filter(({ at }) => at !== undefined).map(({ rule }) => rule);
  t.strictSame([...new Set(names)].sort(), [...names].sort());
  t.strictSame([...new Set(tested)].sort(), [...names].sort());
});

function changed(change: (spec: Example) => void): Example {
  const spec = exampleSpec();
  change(spec);
  return spec;
}

function findings(spec: Example): { errors: readonly Finding[]; warnings: Finding[] } {
  const text = JSON.stringify(spec, null, 2);
  try {
    return { errors: [], warnings: validateSpec(JSON.parse(text), { text, path: 'config.json' }).warnings };
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    return { errors: error.findings, warnings: [] };
  }
}

t.test('runcVersion, which Hadoop YARN writes, replaces a missing ociVersion', async (t) => {
  const { ociVersion: _, ...rest } = exampleSpec();
  const both = { ...exampleSpec(), runcVersion: '2.0.0' };
  t.strictSame(findings({ ...rest, runcVersion: '1.0.0' } as unknown as Example).errors, []);
  t.match(findings({ ...rest, runcVersion: '2.0.0' } as unknown as Example).errors, [{ rule: 'oci-version' }]);
  t.strictSame(findings(both).errors, []);
  t.match(findings(rest as unknown as Example).errors, [{ rule: 'schema' }], 'one of the two is required');
});
