import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commands } from '../../../src/cli/commands.ts';
import { schemaErrors } from '../../../src/config/validate/schema.ts';
import { type FeatureFacts, features } from '../../../src/features/features.ts';
import { Features } from '../../../src/generated/schema-tables.ts';
import { repoRoot } from '../../harness/index.ts';
import { officialFolder } from '../config/validate/documents.ts';
import { officialValidator } from '../config/validate/official.ts';

const facts: FeatureFacts = { seccompFlags: ['SECCOMP_FILTER_FLAG_LOG'], libseccompVersion: '2.5.4' };
const document = features(
  commands.map(({ name }) => name),
  facts,
);

t.test('the document is valid by our schema', async (t) => {
  t.same(schemaErrors(Features, JSON.parse(JSON.stringify(document))), []);
});

t.test(
  'the document is valid by the official schema',
  {
    skip: existsSync(`${officialFolder}/features-schema.json`) ? false : `no official schemas in ${officialFolder}`,
  },
  async (t) => {
    const validate = officialValidator('features');
    t.ok(validate(JSON.parse(JSON.stringify(document))), JSON.stringify(validate.errors));
  },
);

t.test('it has every option in the tables of config.md', async (t) => {
  const must =
    'async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec ' +
    'noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave ' +
    'runbindable rw shared silent slave strictatime suid sync unbindable';
  const should =
    'nosymfollow ratime rdev rdiratime rexec rnoatime rnodiratime rnoexec rnorelatime rnostrictatime rnosuid ' +
    'rnosymfollow rrelatime rro rrw rstrictatime rsuid rsymfollow symfollow tmpcopyup idmap ridmap mand nomand';
  const missing = `${must} ${should}`.split(' ').filter((option) => !document.mountOptions?.includes(option));
  t.same(missing, []);
  t.same(document.mountOptions, [...(document.mountOptions ?? [])].sort(), 'sorted, as callers search it');
});

t.test('it has what callers depend on', async (t) => {
  // CRI-O refuses a document without these; containerd uses user namespaces and rro only with the others.
  t.match(document.ociVersionMin, /^1\./);
  t.match(document.ociVersionMax, /^1\./);
  t.ok(document.linux?.namespaces?.includes('user'));
  t.equal(document.linux?.namespaces?.length, 8);
  t.ok(document.mountOptions?.includes('rro'));
  t.equal(document.linux?.mountExtensions?.idmap?.enabled, true);
});

t.test('annotations that reach systemd or the caller’s groups are marked as unsafe', async (t) => {
  t.same(document.potentiallyUnsafeConfigAnnotations, [
    'org.criu.config',
    'org.systemd.property.',
    'run.oci.keep_original_groups',
  ]);
  t.match(document.linux?.cgroup, { v1: false, v2: true, systemd: true, systemdUser: true, rdma: true });
});

t.test('checkpoint is announced if and only if the command exists', async (t) => {
  const announced = (names: string[]) =>
    features(names, facts).annotations?.['org.opencontainers.runc.checkpoint.enabled'];
  t.equal(announced(['run']), 'false');
  t.equal(announced(['run', 'checkpoint']), 'true');
});

t.test('seccomp: the document has what the schema has, except the kernel’s flags', async (t) => {
  const { seccomp } = document.linux ?? {};
  for (const [list, definition] of [
    [seccomp?.actions, 'SeccompAction'],
    [seccomp?.operators, 'SeccompOperator'],
    [seccomp?.archs, 'SeccompArch'],
    [seccomp?.knownFlags, 'SeccompFlag'],
  ] as const) {
    t.same([...(list ?? [])].sort(), [...enumOf(definition)].sort(), definition);
  }
  t.same(seccomp?.supportedFlags, ['SECCOMP_FILTER_FLAG_LOG']);
  t.equal(document.annotations?.['io.github.seccomp.libseccomp.version'], '2.5.4');
});

function enumOf(definition: string): string[] {
  const text = readFileSync(join(repoRoot, 'schemas/definitions.schema.json'), 'utf8');
  return JSON.parse(text).$defs[definition].enum;
}
