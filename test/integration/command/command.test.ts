/** The command itself: where it runs from, what it prints about itself, and options that no other test has. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot, requires, runtimePath, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

const command = (args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv; path?: string } = {}) =>
  spawnSync(options.path ?? runtimePath, args, { encoding: 'utf8', cwd: options.cwd, env: options.env ?? process.env });

t.test('--version has the lines that engines read', { skip }, async (t) => {
  const { status, stdout, stderr } = command(['--version']);
  t.equal(status, 0);
  t.match(stdout, /^tsrun version \d+\.\d+\.\d+\ncommit: \S+\nspec: 1\.3\.0\n$/);
  t.equal(stderr, '');
});

t.test('every command has help with examples', { skip }, async (t) => {
  const names = [...command(['--help']).stdout.matchAll(/^ {2}([a-z]+)\b.* {2}/gm)].map(([, name]) => name ?? '');
  t.ok(names.includes('create') && names.includes('exec'), names.join());
  for (const name of names.filter((name) => name !== 'help')) {
    const { status, stdout } = command([name, '--help']);
    t.equal(status, 0, name);
    t.match(stdout, /Usage: tsrun/, name);
    // Commands that are not supported have no example.
    if (!stdout.includes('(not supported)')) t.match(stdout, /Examples:/, name);
  }
});

t.test('a reader that is gone is no failure', { skip }, async (t) => {
  // `--help | head -1`: bash gives the exit codes of both.
  for (const args of ['--help', 'features', 'create --help']) {
    const script = `"$0" ${args} | :; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, runtimePath], { encoding: 'utf8' });
    t.same({ stdout, stderr }, { stdout: '0\n', stderr: '' }, args);
  }
});

t.test('runs from anywhere, through a link, with nothing in the environment', { skip }, async (t) => {
  const { directory } = sandbox(t);
  const link = join(directory, 'a-link');
  symlinkSync(runtimePath, link);
  const { status, stdout } = command(['--version'], { cwd: directory, env: {}, path: link });
  t.equal(status, 0);
  t.match(stdout, /^tsrun version/);
});

t.test('nothing in the working directory or the environment makes it run other code', { skip }, async (t) => {
  const { directory } = sandbox(t);
  const evil = join(directory, 'evil.cjs');
  const mark = join(directory, 'ran');
  writeFileSync(evil, `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '');`);
  writeFileSync(join(directory, '.env'), `NODE_OPTIONS=--require ${evil}\n`);
  // Names of the standalone executable's own modules, and of those that QuickJS's own program would load.
  for (const name of ['main.js', 'globals.js', 'std', 'os']) symlinkSync(evil, join(directory, name));
  writeFileSync(join(directory, 'tsconfig.json'), '{ "compilerOptions": { "paths": { "*": ["./evil.cjs"] } } }');
  writeFileSync(join(directory, 'package.json'), '{ "imports": { "#x": "./evil.cjs" }, "type": "module" }');
  const env = { NODE_OPTIONS: `--require ${evil}`, NODE_PATH: directory };
  const { status, stdout } = command(['--version'], { cwd: directory, env });
  t.equal(status, 0);
  t.match(stdout, /^tsrun version/);
  t.notOk(existsSync(mark));
});

t.test('LD_PRELOAD affects neither the standalone executable nor the programs that it starts', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory } = box;
  const library = join(directory, 'evil.so');
  const mark = join(directory, 'ran');
  const code = `#include <fcntl.h>\n__attribute__((constructor)) static void run(void) { creat("${mark}", 0600); }\n`;
  t.equal(spawnSync('gcc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], { input: code }).status, 0);
  const env = { LD_PRELOAD: library };
  spawnSync('/bin/true', { env });
  t.ok(existsSync(mark), 'the library runs where it is loaded');
  rmSync(mark);
  // The executable starts a program to ask the bus; here there is no bus, but systemd seems to run.
  const script = 'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && LD_PRELOAD=$0 exec "$@"';
  const bundle = box.bundle((spec) => {
    spec.linux.cgroupsPath = 'machine.slice:test:preload';
  });
  const standalone = [join(repoRoot, 'build/standalone/tsrun'), '--root', box.root, '--systemd-cgroup'];
  const create = [...standalone, 'create', '--bundle', bundle.directory, box.newId()];
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, library, ...create];
  t.match(command(args, { path: 'unshare' }).stderr, 'cannot reach systemd');
  t.notOk(existsSync(mark));
});

t.test('spec writes a config that runs, and does not overwrite one', { skip }, async (t) => {
  const { directory } = sandbox(t);
  for (const [flags, types] of [
    [[], 'network'],
    [['--rootless'], 'user'],
  ] as const) {
    const bundle = join(directory, types);
    mkdirSync(bundle);
    t.equal(command(['spec', '--bundle', bundle, ...flags]).status, 0);
    const text = readFileSync(join(bundle, 'config.json'), 'utf8');
    const spec = JSON.parse(text) as { linux: { namespaces: { type: string }[] } };
    t.ok(spec.linux.namespaces.some(({ type }) => type === types));
    const again = command(['spec', '--bundle', bundle]);
    t.equal(again.status, 1);
    t.match(again.stderr, /config\.json exists/);
    t.equal(readFileSync(join(bundle, 'config.json'), 'utf8'), text);
  }
});

t.test('--no-pivot runs a container, too', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'echo $$; ls -d /bin; ls /proc/1/root/bin/sh'];
  });
  const { code, stdout } = await box.runtime(['run', '--no-pivot', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 0);
  t.equal(stdout, '1\n/bin\n/proc/1/root/bin/sh\n');
});

t.test('--no-new-keyring keeps the caller’s session keyring', { skip }, async (t) => {
  const box = sandbox(t);
  const plan = async (...flags: string[]) =>
    (await box.runtime(['plan', ...flags, '--bundle', box.bundle().directory])).stdout;
  t.match(await plan(), /join-session-keyring/);
  t.notMatch(await plan('--no-new-keyring'), /join-session-keyring/);
  const { code } = await box.runtime([
    'run',
    '--no-new-keyring',
    '--bundle',
    box.bundle((spec) => {
      spec.process.args = ['/bin/true'];
    }).directory,
    box.newId(),
  ]);
  t.equal(code, 0);
});

t.test(
  '--log takes crun’s file:, and refuses its other places',
  { skip: requires({ runtime: 'tsrun' }) },
  async (t) => {
    const log = join(t.testdir(), 'log');
    command(['--log', `file:${log}`, '--root', t.testdirName, 'state', 'none']);
    t.match(readFileSync(log, 'utf8'), /container does not exist/);
    for (const place of ['journald:web', 'syslog:web']) {
      const { status, stderr } = command(['--log', place, 'list']);
      t.equal(status, 1);
      t.match(stderr, new RegExp(`--log ${place}: tsrun does not write to`));
    }
  },
);
