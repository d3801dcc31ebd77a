/** scripts/setup.sh on machines where it cannot work; stub commands on the PATH simulate them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { repoRoot } from '../../harness/host.ts';
import { run } from '../../harness/process.ts';

/** Runs setup.sh with shell scripts in place of these commands. */
function setup(t: Test, groups: string[], stubs: Record<string, string>) {
  const bin = join(t.testdir(), 'bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(stubs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const env = { PATH: `${bin}:${process.env.PATH}` };
  return run('/bin/bash', [join(repoRoot, 'scripts/setup.sh'), ...groups], { env });
}

const nothingInstalled = { 'dpkg-query': 'exit 1' };
const asRoot = process.geteuid?.() === 0 ? false : 'needs root';

t.test('it says that it needs Linux', async (t) => {
  const { code, stderr } = await setup(t, [], { uname: 'echo Darwin' });
  t.equal(code, 1);
  t.equal(stderr, 'setup: tsrun runs on Linux only; this is Darwin\n');
});

t.test('it says which node it needs', async (t) => {
  const { code, stderr } = await setup(t, [], { node: 'echo v18.19.0' });
  t.equal(code, 1);
  t.equal(
    stderr,
    'setup: node v18.19.0 is too old; tsrun needs node 20 or newer (Debian has one since 13; older releases take it from elsewhere)\n',
  );
});

t.test('it installs the missing packages of the groups, and says so', { skip: asRoot }, async (t) => {
  const aptGet = 'for last; do :; done; [ "$last" = busybox-static ]';
  const { code, stdout } = await setup(t, ['demo'], { ...nothingInstalled, 'apt-get': aptGet });
  t.equal(code, 0);
  t.equal(stdout, 'setup: installing Debian packages: busybox-static\n');
});

t.test('it says that there is no network', { skip: asRoot }, async (t) => {
  const aptGet = 'echo "Temporary failure resolving \'deb.debian.org\'"; exit 100';
  const { code, stderr } = await setup(t, ['demo'], { ...nothingInstalled, 'apt-get': aptGet });
  t.equal(code, 1);
  t.match(stderr, /^setup: no network: apt cannot reach its mirrors\. Missing: busybox-static$/m);
});

t.test('it says if a package cannot be installed for another reason', { skip: asRoot }, async (t) => {
  const aptGet = 'echo "E: Unable to locate package"; exit 100';
  const { code, stderr } = await setup(t, ['demo'], { ...nothingInstalled, 'apt-get': aptGet });
  t.equal(code, 1);
  t.match(stderr, /Unable to locate package\nsetup: apt could not install: busybox-static\n/);
});
