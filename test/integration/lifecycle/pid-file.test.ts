/** --pid-file in a directory with other files, or where others may write. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, type Sandbox, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

/** A directory, and a path in it for the pid file. */
function place(box: Sandbox): { directory: string; pidFile: string } {
  const directory = join(box.directory, 'others');
  mkdirSync(directory);
  return { directory, pidFile: join(directory, 'pid') };
}

t.test('a file of the same name with a dot before it stays as it is', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory, pidFile } = place(box);
  // As ~/.config is to ~/config.
  mkdirSync(join(directory, '.pid'));
  writeFileSync(join(directory, '.pid', 'precious'), 'kept');
  const id = await box.create(box.bundle(), ['--pid-file', pidFile]);
  t.equal(readFileSync(pidFile, 'utf8'), String((await box.state(id)).pid));
  t.equal(readFileSync(join(directory, '.pid', 'precious'), 'utf8'), 'kept');
  t.same(readdirSync(directory).sort(), ['.pid', 'pid']);
});

t.test('a pid file that cannot be written removes nothing', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory, pidFile } = place(box);
  mkdirSync(pidFile);
  writeFileSync(join(directory, '.pid'), 'kept');
  const { code, stderr } = await box.runtime([
    'create',
    '--pid-file',
    pidFile,
    '--bundle',
    box.bundle().directory,
    box.newId(),
  ]);
  t.equal(code, 1);
  t.match(stderr, 'cannot write the pid file');
  t.equal(readFileSync(join(directory, '.pid'), 'utf8'), 'kept');
  t.same(readdirSync(directory).sort(), ['.pid', 'pid']);
});

t.test('a link in its place is replaced, and not followed', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory, pidFile } = place(box);
  const target = join(box.directory, 'target');
  writeFileSync(target, 'kept');
  symlinkSync(target, pidFile);
  const id = await box.create(box.bundle(), ['--pid-file', pidFile]);
  t.ok(lstatSync(pidFile).isFile());
  t.equal(readFileSync(pidFile, 'utf8'), String((await box.state(id)).pid));
  t.equal(readFileSync(target, 'utf8'), 'kept');
  t.same(readdirSync(directory), ['pid']);
});

t.test('a failed exec removes only its own file', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory, pidFile } = place(box);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
    // exec finds this program, but execve(2), which comes after the pid file, refuses it.
    spec.process.env.push('PATH=/bin');
  });
  bundle.addFile('bin/broken', 'no program\n', 0o755);
  const id = await box.createAndStart(bundle);
  const { code } = await box.runtime(['exec', '--pid-file', pidFile, id, '/bin/broken']);
  t.not(code, 0);
  t.same(readdirSync(directory), []);
});

t.test('no name of a pid file costs another file', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const place = join(box.directory, 'place');
  mkdirSync(join(place, 'below/.secret'), { recursive: true });
  const files = ['file', '.pid', '.pid.tsrun', 'below/.secret/key', '.secret'];
  for (const name of files) writeFileSync(join(place, name), 'precious');
  const cases: [string, number][] = [
    ['', 0],
    ['.', 1],
    ['..', 1],
    ['./', 1],
    ['below/..', 1],
    ['below', 1],
    ['pid', 0],
    ['below/secret', 0],
    ['secret', 0],
  ];
  for (const [path, code] of cases) {
    const args = ['run', '--pid-file', path, '--bundle', bundle.directory, box.newId()];
    const result = await box.runtime(args, { cwd: place });
    t.match(result, { code, stderr: code === 0 ? '' : /--pid-file: cannot write .*hint/ }, `--pid-file "${path}"`);
    for (const name of files) t.equal(readFileSync(join(place, name), 'utf8'), 'precious', `"${path}": ${name}`);
  }
  t.strictSame(readdirSync(place).sort(), ['.pid', '.pid.tsrun', '.secret', 'below', 'file', 'pid', 'secret']);
});
