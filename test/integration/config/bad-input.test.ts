/** Bad input: a one-line error that says what to do, exit code 1, and nothing left behind. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Bundle, type Result, requires, run, runtimePath, type Sandbox, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

/** One line on stderr, nothing on stdout, exit code 1. The sandbox itself checks that nothing is left behind. */
function checkError(t: Test, { code, stdout, stderr }: Result, words: RegExp | string, what: string): void {
  t.equal(code, 1, what);
  t.equal(stdout, '', what);
  t.match(stderr, /^time="[^"]+" level=error msg=[^\n]+\n$/, `${what}: one line`);
  t.notMatch(stderr, 'internal error', what);
  t.match(stderr, words, what);
}

async function checkCreate(t: Test, box: Sandbox, bundle: Bundle, words: RegExp | string, what: string): Promise<void> {
  checkError(t, await box.runtime(['create', '--bundle', bundle.directory, box.newId()]), words, what);
  t.same(
    readdirSync(box.root).filter((name) => !name.endsWith('~')),
    [],
    `${what}: no state`,
  );
}

t.test('config.json', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const texts: [string, string | Buffer, RegExp][] = [
    ['empty', '', /config\.json/],
    ['truncated', '{"ociVersion": "1.0.2", "process"', /config\.json/],
    ['duplicate keys', '{"ociVersion": "1.0.2", "ociVersion": "1.0.2"}', /ociVersion: given a second time/],
    ['no object', '[1, 2]', /config\.json/],
    ['deep nesting', `{"annotations": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /nest|deep/i],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
  ];
  for (const [what, text, words] of texts) {
    bundle.writeRaw(text);
    await checkCreate(t, box, bundle, words, what);
  }
  bundle.writeRaw('{}');
  truncateSync(bundle.configPath, 100 * 1024 * 1024);
  await checkCreate(t, box, bundle, /too large/, '100 MiB');
});

t.test('a config.json that is not a file', { skip }, async (t) => {
  const box = sandbox(t);
  const place = (name: string) => {
    const directory = join(box.directory, name);
    mkdirSync(directory);
    return directory;
  };
  const fifo = place('fifo');
  execFileSync('mkfifo', [join(fifo, 'config.json')]);
  const directory = place('directory');
  mkdirSync(join(directory, 'config.json'));
  const file = join(box.directory, 'file');
  writeFileSync(file, '');
  const cases: [string, RegExp][] = [
    [fifo, /not a regular file/],
    [directory, /not a regular file/],
    [place('empty'), /config\.json not found .*tsrun spec/],
    [join(box.directory, 'missing'), /config\.json not found/],
    [file, /config\.json not found/],
  ];
  for (const [bundle, words] of cases) {
    checkError(t, await box.runtime(['create', '--bundle', bundle, box.newId()]), words, bundle);
  }
});

t.test('NUL bytes in strings', { skip }, async (t) => {
  const nul = 'a\0b';
  const edits: ((spec: Bundle['spec']) => void)[] = [
    (spec) => spec.process.args.push(nul),
    (spec) => spec.process.env.push(`A=${nul}`),
    (spec) => {
      spec.process.cwd = `/${nul}`;
    },
    (spec) => {
      spec.hostname = nul;
    },
    (spec) => {
      spec.root.path = nul;
    },
    (spec) => {
      spec.linux.cgroupsPath = `/${nul}`;
    },
    (spec) => spec.mounts.push({ destination: '/mnt', type: 'tmpfs', source: nul }),
    (spec) => spec.mounts.push({ destination: `/${nul}`, type: 'tmpfs', source: 'tmpfs' }),
    (spec) => {
      spec.hooks = { createRuntime: [{ path: `/${nul}` }] };
    },
    (spec) => {
      spec.hooks = { poststop: [{ path: '/bin/true', args: ['true', nul] }] };
    },
    (spec) => {
      spec.linux.maskedPaths = [`/${nul}`];
    },
  ];
  for (const [index, edit] of edits.entries()) {
    const box = sandbox(t);
    await checkCreate(t, box, box.bundle(edit), /NUL/, `edit ${index}`);
  }
});

t.test('ids', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  for (const id of ['', '.', '..', '../x', 'a/b', '/etc', 'a b', 'a\nb', 'é', 'x'.repeat(5000)]) {
    for (const command of [
      ['create', '--bundle', bundle.directory],
      ['run', '--bundle', bundle.directory],
      ['state'],
      ['start'],
      ['kill'],
      ['delete', '--force'],
    ]) {
      const result = await box.runtime([...command, id]);
      checkError(
        t,
        result,
        /container id cannot be empty|invalid container ID format/,
        `${command[0]} ${id.slice(0, 9)}`,
      );
    }
  }
});

t.test('the root filesystem and the program', { skip }, async (t) => {
  const box = sandbox(t);
  const file = box.bundle((spec) => {
    spec.root.path = 'a-file';
  });
  writeFileSync(join(file.directory, 'a-file'), '');
  await checkCreate(t, box, file, /\/root\/path: invalid rootfs: .*a-file is not a directory .*hint/, 'a file');
  const missing = box.bundle((spec) => {
    spec.root.path = 'missing';
  });
  await checkCreate(t, box, missing, /\/root\/path: invalid rootfs: .*missing does not exist .*hint/, 'missing');
  const program = box.bundle((spec) => {
    spec.process.args = ['/missing'];
  });
  await checkCreate(t, box, program, /exec: .*\/missing.*: no such file or directory .*hint/, 'no program');
});

t.test('--root', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const withRoot = (root: string, options = {}) =>
    run(runtimePath, ['--root', root, 'run', '--bundle', bundle.directory, box.newId()], options);
  const file = join(box.directory, 'file');
  writeFileSync(file, '');
  checkError(t, await withRoot(''), '--root: must not be empty', 'empty');
  checkError(t, await withRoot(file), /cannot make the state directory .*hint/, 'a file');
  checkError(t, await withRoot(`${file}/below`), /cannot make the state directory .*hint/, 'below a file');
  checkError(t, await withRoot(`/${'x/'.repeat(3000)}`), /ENAMETOOLONG/, 'too long');
  checkError(t, await withRoot('/proc/root-of-tsrun'), /cannot make the state directory/, 'where nothing can be made');
  const long = join(box.directory, ...Array.from({ length: 15 }, () => 'y'.repeat(200)));
  t.match(await withRoot(long), { code: 0, stderr: '' }, 'long');
  t.match(await withRoot('relative', { cwd: box.directory }), { code: 0, stderr: '' }, 'relative');
  t.same(readdirSync(join(box.directory, 'relative')), [], 'counts from the working directory');
});

t.test('a read-only or full filesystem below --root', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.annotations = { padding: 'x'.repeat(100_000) };
  });
  const mounted = (name: string, options: string) => {
    const path = join(box.directory, name);
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
    t.teardown(() => execFileSync('umount', [path]));
    return path;
  };
  const create = (root: string) =>
    run(runtimePath, ['--root', root, 'create', '--bundle', bundle.directory, box.newId()]);
  const tests: [string, string, RegExp][] = [
    ['read-only', 'ro', /cannot make the state directory .*EROFS .*hint/],
    ['no-inodes', 'nr_inodes=1', /cannot make the state directory .*ENOSPC .*hint/],
    ['full', 'size=64k', /cannot write the container.*ENOSPC .*hint.*full/],
    ['filling', 'size=192k', /cannot write the container.*ENOSPC .*hint.*full/],
  ];
  for (const [name, options, words] of tests) {
    const root = mounted(name, options);
    checkError(t, await create(root), words, name);
    t.same(readdirSync(root), [], `${name}: nothing left`);
  }
});

t.test('a filesystem that fills up while create works', { skip }, async (t) => {
  const box = sandbox(t);
  const root = join(box.directory, 'small');
  mkdirSync(root);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', root]);
  t.teardown(() => execFileSync('umount', [root]));
  const bundle = box.bundle((spec) => {
    spec.hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `cat /dev/zero >${root}/filler; true`] }] };
  });
  const id = box.newId();
  const result = await run(runtimePath, ['--root', root, 'create', '--bundle', bundle.directory, id]);
  checkError(t, result, /cannot write the container's state: ENOSPC .*hint.*full/, 'create');
  t.same(readdirSync(root), ['filler']);
});

t.test('a pid file that cannot be written', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const directory = join(box.directory, 'a-directory');
  mkdirSync(directory);
  for (const path of [join(box.directory, 'missing', 'pid'), directory]) {
    const result = await box.runtime(['create', '--pid-file', path, '--bundle', bundle.directory, box.newId()]);
    checkError(t, result, /cannot write the pid file .*hint/, path);
  }
  t.notOk(
    readdirSync(box.directory).some((name) => name.startsWith('.')),
    'no temporary file',
  );
});

t.test('the command line', { skip }, async (t) => {
  const box = sandbox(t);
  const cases: [string[], RegExp][] = [
    [['creat', 'x'], /unknown command 'creat' .*Did you mean create/],
    [['create', '--bundel', '/', 'x'], /unknown option '--bundel' .*Did you mean --bundle/],
    [['--rot', '/', 'list'], /unknown option '--rot' .*Did you mean --root/],
    [['--debug'], /msg="expected a command .*tsrun --help/],
    [['run', '--root', '/r', 'x'], /unknown option '--root' .*comes before the command: tsrun --root … run/],
    [['create'], /missing required argument 'id'.*hint/],
    [['start', 'a', 'b'], /too many arguments.*hint/],
    [['create', '--bundle'], /option '-b, --bundle <dir>' requires an argument.*hint/],
    [['create', '--preserve-fds', 'x', 'id'], /--preserve-fds: expected a number/],
    [['list', '--format', 'xml'], /argument 'xml' is invalid.*table, json/],
    [['delete', '--force=maybe', 'x'], /--force: expected true or false, found \\"maybe\\".*hint/],
    [['exec', '--user', '', 'x', 'id'], /--user: must not be empty.*hint/],
    [['exec'], /missing required argument 'id'.*tsrun exec --help/],
  ];
  for (const [args, words] of cases) checkError(t, await box.runtime(args), words, args.join(' '));
});

t.test('an option with an empty value counts as absent, as with runc', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  const empty = ['--console-socket=', '--pidfd-socket=', '--pid-file='];
  const id = box.newId();
  await box.runtimeOk(['create', ...empty, '--bundle=', id], { cwd: bundle.directory, outputFiles: box.directory });
  await box.runtimeOk(['start', id]);
  const flags = [...empty, '--cwd=', '--process=', '--apparmor=', '--process-label=', '--cgroup='];
  t.equal((await box.runtimeOk(['exec', ...flags, id, 'pwd'])).stdout, '/\n');
  await box.runtimeOk(['delete', '--force', id]);
});

t.test('a mistake in the command line is reported in --log, too', { skip }, async (t) => {
  const box = sandbox(t);
  const log = join(box.directory, 'log.json');
  const result = await box.runtime(['--log', log, '--log-format', 'json', 'run', '--bundel', '/b', 'x']);
  t.match(result, { code: 1, stderr: /^unknown option '--bundel'[^\n]*\n$/ });
  t.match(JSON.parse(readFileSync(log, 'utf8')), { level: 'error', msg: /^unknown option '--bundel'/ });
});

t.test('if a flag is given twice, the last one counts, as with runc', { skip }, async (t) => {
  const box = sandbox(t);
  const { stdout } = await box.runtimeOk(['list', '--format', 'table', '--format', 'json']);
  t.equal(stdout, '[]\n');
});
