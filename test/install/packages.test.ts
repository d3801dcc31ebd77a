/** The results of `npm run release`: each form is installed into a tree without tsrun, and runs a container there. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ordinaryId, repoRoot, requires, type Sandbox, sandbox } from '../harness/index.ts';
import { livesAsInstalled, outlivesUpgrade, shimName, startWith, versionLine } from './installed-shim.ts';
import { type PlainSuite, PlainTree } from './plain-tree.ts';

const skip =
  process.arch === 'x64'
    ? requires({
        root: true,
        cgroup2: true,
        runtime: 'tsrun',
        files: ['build/standalone/tsrun', 'build/Release/containerd-shim-tsrun-v2', '/bin/busybox', '.git'],
        commands: ['apt-get', 'npm', 'git', 'dpkg-deb'],
      })
    : 'the trees are made for x86-64';

function ok(program: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number } = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd: repoRoot, ...options });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** The npm packages that the sources are bundled with. */
function imported(): string[] {
  const { stdout } = spawnSync('git', ['grep', '-ohE', "(from|import\\()\\s*'@?[a-z][^':]*'", '--', 'src/*.ts'], {
    cwd: repoRoot,
    encoding: 'utf8',
  });
  const paths = [...stdout.matchAll(/'(?<path>[^']+)'/g)].map((match) => match.groups?.path ?? '');
  return [...new Set(paths.map((path) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? ''))];
}

/** The shell commands of a page. */
function shellBlocks(page: string): string[] {
  const text = readFileSync(join(repoRoot, page), 'utf8');
  return [...text.matchAll(/^```sh\n(?<block>.*?)^```$/gms)].map((match) => match.groups?.block ?? '');
}

/** Makes a release in a directory that every user may read; returns the directory. */
function release(box: Sandbox, name: string): string {
  const directory = join(box.directory, name);
  chmodSync(box.directory, 0o755);
  ok('node', ['scripts/release.mjs', directory]);
  return directory;
}

const npmEnv = (box: Sandbox) => ({ ...process.env, npm_config_cache: join(box.directory, 'npm-cache') });

/** A real machine has more commands than the tree; here they are busybox's. */
const allApplets = 'for name in $(bin/busybox --list); do [ -e bin/$name ] || ln -s /bin/busybox bin/$name; done';

t.test('a release', { skip }, async (t) => {
  const box = sandbox(t);
  const directory = release(box, 'release');
  const find = (end: string) => {
    const name = readdirSync(directory).find((entry) => entry.endsWith(end));
    return join(directory, name ?? `no *${end}`);
  };

  await t.test('has the same bytes when it is made again', async (t) => {
    const sums = readFileSync(join(directory, 'SHA256SUMS'), 'utf8');
    t.equal(readFileSync(join(release(box, 'again'), 'SHA256SUMS'), 'utf8'), sums);
    ok('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: directory });
    const { spdxVersion, packages } = JSON.parse(readFileSync(find('.spdx.json'), 'utf8'));
    t.equal(spdxVersion, 'SPDX-2.3');
    for (const { SPDXID } of packages) t.match(SPDXID, /^SPDXRef-[A-Za-z0-9.-]+$/);
    const names = packages.map(({ name }: { name: string }) => name);
    for (const name of imported()) t.ok(names.includes(name), `${name}, which what is handed out is made of`);
  });

  const tarball = `mkdir x && tar -xzf ${find('-linux-x64.tar.gz')} -C x && sh x/*/install.sh "$PWD/usr"`;
  const [tarballBlock = '', debianBlock = '', npmBlock = ''] = shellBlocks('docs/installing.md');
  const debian = `mkdir -p var/lib/dpkg/info var/lib/dpkg/updates && touch var/lib/dpkg/status; tree=$PWD; cd ${directory}
    dpkg() { command dpkg --root="$tree" --force-depends --force-not-root "$@"; }
    ${debianBlock}`;
  const npm = `${allApplets}
    export npm_config_cache=${box.directory}/npm-cache npm_config_offline=true npm_config_prefix="$PWD/usr"
    cd ${directory}
    ${npmBlock}`;
  await t.test('the tarball, by install.sh', (t) => runsContainer(t, 'bookworm', tarball));
  await t.test('the tarball, with busybox alone', (t) => runsContainer(t, 'none', tarball));
  await t.test('the Debian package', (t) => runsContainer(t, 'trixie', debian));
  await t.test('the npm package', (t) => runsContainer(t, 'forky', npm));

  const tree = join(box.directory, 'tree');
  mkdirSync(tree);
  const printed = ok('sh', ['-c', tarball], { cwd: tree }).trim().split('\n');
  ok('dpkg-deb', ['--extract', find('_amd64.deb'), join(box.directory, 'debian')]);
  ok('npm', ['install', '--offline', '--global', '--prefix', join(box.directory, 'npm'), find('.tgz')], {
    env: npmEnv(box),
  });
  const package_ = join(box.directory, 'npm/lib/node_modules/tsrun/build/Release');
  for (const [name, program] of [
    ['the tarball', join(tree, 'usr/bin', shimName)],
    ['the Debian package', join(box.directory, 'debian/usr/bin', shimName)],
    ['the npm package', join(box.directory, 'npm/bin', shimName)],
    ['the npm package, without its shell script', join(package_, shimName)],
  ] as const)
    await t.test(`containerd’s shim of ${name}`, (t) => livesAsInstalled(t, program));

  await t.test('another version is installed while containerd’s shim runs', (t) => {
    const install = () => ok('sh', ['-c', 'sh x/*/install.sh usr'], { cwd: tree });
    return outlivesUpgrade(t, join(tree, 'usr/bin', shimName), join(tree, 'usr/lib/tsrun'), install);
  });

  await t.test('an old Node is refused by containerd’s shim', async (t) => {
    const directory = join(box.directory, 'old');
    mkdirSync(directory);
    const pretend = "Object.defineProperty(process, 'versions', { value: { node: '18.20.4' } })";
    writeFileSync(join(directory, 'old.cjs'), pretend);
    const script = `#!/bin/sh\nexec ${process.execPath} --require ${directory}/old.cjs "$@"\n`;
    writeFileSync(join(directory, 'node'), script, { mode: 0o755 });
    const { status, stdout, stderr } = startWith(join(tree, 'usr/bin', shimName), directory);
    t.strictSame({ status, stdout }, { status: 1, stdout: '' });
    t.match(stderr, /^containerd-shim-tsrun-v2: Node 18\.20\.4 \(.*\) is too old: it needs 20 or later\n$/);
  });

  await t.test('without what install.sh has printed, nothing is left', async (t) => {
    for (const file of printed) rmSync(file);
    t.equal(ok('find', [join(tree, 'usr'), '!', '-type', 'd']), '');
  });

  await t.test('the npm package, as a user with a prefix', async (t) => {
    const home = join(box.directory, 'home');
    mkdirSync(home);
    ok('chown', [String(ordinaryId), home]);
    const env = { PATH: process.env.PATH, HOME: home };
    ok('npm', ['install', '--offline', '--global', '--prefix', home, find('.tgz')], {
      cwd: home,
      env,
      uid: ordinaryId,
    });
    t.match(ok(join(home, 'bin/tsrun'), ['--version'], { cwd: home, env, uid: ordinaryId }), /^tsrun version \d/);
  });

  await t.test('README installs it and runs a first container, word for word', async (t) => {
    const box = sandbox(t);
    const blocks = shellBlocks('README.md');
    t.ok(blocks.length >= 2);
    const tree = new PlainTree(box, 'bookworm', `cp ${find('-linux-x64.tar.gz')} root; ${allApplets}`);
    const type = (lines: string[]) => tree.run('/bin/sh', '-c', ['set -e', 'cd /root', ...lines].join('\n'));
    const { code, stdout, stderr } = await type(blocks);
    t.match({ code, stdout }, { code: 0, stdout: /hello from process 1\n$/ }, stderr);
    const { code: codeOfPage, stdout: version } = await type([tarballBlock, 'tsrun --version']);
    t.match({ codeOfPage, version }, { codeOfPage: 0, version: /\/bin\/tsrun\n.*^tsrun version \d/ms });
  });

  await t.test('the npm package has neither sources nor tests in it', async (t) => {
    const files = ok('tar', ['-tzf', find('.tgz')])
      .trim()
      .split('\n');
    t.same(
      files.filter((file) => /^package\/(src|addon|test|scripts|schemas)\//.test(file)),
      [],
    );
    t.ok(files.includes('package/bin/tsrun-npm'));
  });

  await t.test('what README links to comes with it', async (t) => {
    const readme = readFileSync(join(repoRoot, 'README.md'), 'utf8');
    const linked = [...readme.matchAll(/\]\((?<path>[^)#:]+)[^):]*\)/g)].map((match) => match.groups?.path ?? '');
    t.ok(linked.includes('docs/security.md'));
    // Pages for developers are only in the checkout.
    const wanted = linked.filter((path) => path !== 'CONTRIBUTING.md');
    for (const [kind, page] of [['.tgz'], ['-linux-x64.tar.gz', 'docs/man/tsrun.1']] as const) {
      const files = ok('tar', ['-tzf', find(kind)])
        .trim()
        .split('\n')
        .map((file) => file.slice(file.indexOf('/') + 1));
      t.same(
        wanted.filter((path) => path !== page && !files.includes(path)),
        [],
        kind,
      );
    }
  });
});

/**
 * Also asks containerd's shim, which has no Node there.
 *
 * @param prepare a script that installs it, run in the root of the tree
 */
async function runsContainer(t: Test, suite: PlainSuite, prepare: string): Promise<void> {
  const box = sandbox(t);
  const tree = new PlainTree(box, suite, `{ ${prepare}\n} >&2`);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sh', '-c', 'echo hello from $(hostname)'];
    spec.hostname = 'installed';
    spec.linux.seccomp = JSON.parse(readFileSync(join(repoRoot, 'test/fixtures/seccomp-profile.json'), 'utf8'));
  });
  const run = ['tsrun', '--root', box.root, 'run', '--bundle', bundle.directory, box.newId()];
  const files = ['container', 'version', 'start'].map((name) => join(box.directory, name));
  const script = `"$@" >${files[0]} 2>&1; code=$?; ${shimName} -v >${files[1]} 2>&1
    ${shimName} -namespace none -id none start </dev/null >${files[2]} 2>&1 && code=shim; exit $code`;
  const { code, stderr } = await tree.run('/bin/sh', '-c', script, 'sh', ...run);
  const [container, version = '', start = ''] = files.map((file) => readFileSync(file, 'utf8'));
  t.strictSame({ code, container }, { code: 0, container: 'hello from installed\n' }, stderr);
  t.match(version, versionLine);
  t.match(
    start,
    /^containerd-shim-tsrun-v2: there is no node in PATH \(.+\): it needs Node 20 or later; install it.*\n$/,
  );
}

for (const command of ['install', 'ci']) {
  t.test(`npm ${command} in a checkout leaves a build alone`, { skip }, async (t) => {
    const box = sandbox(t);
    const checkout = join(box.directory, 'checkout');
    mkdirSync(join(checkout, 'build'), { recursive: true });
    for (const file of ['package.json', 'package-lock.json', 'binding.gyp', '.npmrc'])
      copyFileSync(join(repoRoot, file), join(checkout, file));
    const built = join(checkout, 'build/built');
    writeFileSync(built, '');
    // All packages are for development, and not needed to see what npm itself does.
    ok('npm', [command, '--offline', '--omit=dev'], { cwd: checkout, env: npmEnv(box) });
    t.ok(existsSync(built));
  });
}
