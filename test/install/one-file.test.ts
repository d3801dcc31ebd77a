/** The standalone executable without the builder's system: with older, newer and no C libraries. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { repoRoot, requires, type Spec, sandbox } from '../harness/index.ts';
import { type PlainSuite, PlainTree, plainSuites } from './plain-tree.ts';

const executable = 'build/standalone/tsrun';
const skip =
  process.arch === 'x64'
    ? requires({
        root: true,
        cgroup2: true,
        runtime: 'tsrun',
        files: [executable, '/bin/busybox'],
        commands: ['apt-get'],
      })
    : 'the trees are made for x86-64';

for (const suite of plainSuites) {
  t.test(`in a tree of ${suite}`, { skip }, async (t) => {
    await t.test('the default config runs', (t) => runsDefaultConfig(t, suite));
    await t.test('a profile as large as docker’s is compiled and loaded', (t) => loadsProfile(t, suite));
    await t.test('check and features speak', (t) => speaks(t, suite));
    await t.test('what is dynamic says in words that it cannot start', (t) => refusesSystemd(t, suite));
  });
}

function place(t: Test, suite: PlainSuite) {
  const box = sandbox(t);
  return { box, tree: new PlainTree(box, suite, `cp ${join(repoRoot, executable)} bin/tsrun`) };
}

async function runsDefaultConfig(t: Test, suite: PlainSuite): Promise<void> {
  const { box, tree } = place(t, suite);
  const script = `mkdir -p /b/rootfs/bin && cp /bin/busybox /b/rootfs/bin/sh && cd /b &&
    tsrun spec --no-terminal -- sh -c 'echo hello; exit 7' && tsrun --root ${box.root} run ${box.newId()}`;
  const { code, stdout, stderr } = await tree.run('/bin/sh', '-c', script.replace('', ''));
  t.strictSame({ code, stdout, stderr }, { code: 7, stdout: 'hello\n', stderr: '' });
}

async function loadsProfile(t: Test, suite: PlainSuite): Promise<void> {
  const { box, tree } = place(t, suite);
  const bundle = box.bundle((spec: Spec) => {
    spec.process.args = ['grep', '^Seccomp:', '/proc/self/status'];
    spec.linux.seccomp = JSON.parse(readFileSync(join(repoRoot, 'test/fixtures/seccomp-profile.json'), 'utf8'));
  });
  const { code, stdout, stderr } = await tree.run(
    'tsrun',
    '--root',
    box.root,
    'run',
    '--bundle',
    bundle.directory,
    box.newId(),
  );
  t.strictSame({ code, stdout, stderr }, { code: 0, stdout: 'Seccomp:\t2\n', stderr: '' });
}

async function speaks(t: Test, suite: PlainSuite): Promise<void> {
  const { box, tree } = place(t, suite);
  const bundle = box.bundle();
  const check = await tree.run('tsrun', 'check', '--bundle', bundle.directory);
  t.strictSame({ code: check.code, stderr: check.stderr }, { code: 0, stderr: '' });
  const { stdout, stderr } = await tree.run('tsrun', 'features');
  t.equal(stderr, '');
  t.match(JSON.parse(stdout).annotations, { 'io.github.seccomp.libseccomp.version': /^2\./ });
}

async function refusesSystemd(t: Test, suite: PlainSuite): Promise<void> {
  const { box, tree } = place(t, suite);
  const bundle = box.bundle((spec) => {
    spec.linux.cgroupsPath = 'machine.slice:test:one-file';
  });
  // As if systemd ran there: without its directory, its library is not even looked for.
  const asWithSystemd = ['/bin/sh', '-c', 'mkdir -p /run/systemd/system && exec "$@"', 'sh'];
  const command = ['tsrun', '--root', box.root, '--systemd-cgroup', 'run', '--bundle', bundle.directory, box.newId()];
  const { code, stderr } = await tree.run(...asWithSystemd, ...command);
  t.equal(code, 1);
  if (suite === 'none') t.match(stderr, 'libsystemd cannot be used here: there is no dynamic linker');
  if (suite === 'none')
    t.match(stderr, 'hint: it needs libsystemd0 and the GNU C library; or leave --systemd-cgroup out');
  else if (suite === 'bullseye') t.match(stderr, /libsystemd cannot be used here: .*GLIBC_2\.\d+' not found/);
  else t.match(stderr, /--systemd-cgroup: (libsystemd cannot be used here: .|cannot reach systemd)/);
  t.equal(stderr.trim().split('\n').length, 1, 'nothing else is written');
}
