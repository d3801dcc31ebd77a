/** Files named on the command line are read up to a limit and without waiting. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ordinaryId, repoRoot, requires, run, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

t.test('a device, a fifo and a directory are refused, and a file from the shell is read', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle((spec) => Object.assign(spec.process, { args: ['sleep', '1000'] })));
  await box.runtimeOk(['start', id]);
  const fifo = join(box.directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const large = join(box.directory, 'large');
  writeFileSync(large, ' '.repeat(16 * 1024 * 1024 + 1));
  for (const command of [
    ['exec', '--process'],
    ['update', '--resources'],
  ] as const) {
    const refusal = async (file: string) => {
      const { code, stderr } = await box.runtime([command[0], command[1], file, id]);
      t.not(code, 0, `${command[0]} ${file}`);
      return stderr;
    };
    for (const file of ['/dev/zero', fifo, box.directory]) {
      t.match(await refusal(file), new RegExp(`${command[1]}: ${file} is not a regular file`));
    }
    t.match(await refusal(large), /is too large: at most 16777216 bytes/);
    t.match(await refusal('/nonexistent'), new RegExp(`${command[1]}: cannot read /nonexistent: ENOENT`));
  }
  const echo = { cwd: '/', args: ['/bin/echo', 'read'] };
  const input = JSON.stringify(echo);
  t.equal((await box.runtimeOk(['exec', '--process', '/dev/stdin', id], { input })).stdout, 'read\n');
  t.equal((await box.runtimeOk(['exec', '--process', '/dev/fd/0', id], { input })).stdout, 'read\n');
});

t.test('--log and --trace do not wait for the reader of a fifo', { skip }, async (t) => {
  const box = sandbox(t);
  const fifo = join(box.directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const option of ['--log', '--trace']) {
    const { code, stderr } = await box.runtime([option, fifo, 'state', 'absent']);
    t.equal(code, 1);
    t.match(stderr, `${option} ${fifo}: cannot be written: ENXIO (hint: nobody reads this fifo)`);
  }
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  t.equal((await box.runtime(['--log', fifo, 'state', 'absent'])).code, 1);
  t.match(readFileSync(reader, 'utf8'), /level=error msg="container does not exist/);
  // If it is full, the line is lost, but no time.
  const full = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  t.throws(() => {
    for (;;) writeSync(full, 'x'.repeat(4096));
  }, /EAGAIN/);
  const { code, stderr } = await box.runtime(['--log', fifo, 'state', 'absent']);
  t.equal(code, 1);
  t.match(stderr, /container does not exist[^\n]*\ncannot write --log [^\n]*: EAGAIN\n/);
  for (const fd of [full, reader]) closeSync(fd);
});

t.test('nobody gets the rights of a setuid tsrun', { skip }, async (t) => {
  const box = sandbox(t);
  chmodSync(box.directory, 0o755);
  for (const form of ['build/standalone/tsrun', 'build/Release/tsrun']) {
    const copy = join(box.directory, 'setuid');
    copyFileSync(join(repoRoot, form), copy);
    chownSync(copy, 0, 0);
    chmodSync(copy, 0o4755);
    const { code, stderr } = await run('setpriv', ['--reuid', String(ordinaryId), '--clear-groups', copy, '--version']);
    t.equal(code, 1, form);
    t.match(stderr, /will not run setuid or setgid/);
  }
});

t.test('no variable of the dynamic linker reaches Node', { skip }, async (t) => {
  const env = { PATH: process.env.PATH ?? '', LD_DEBUG: 'libs' };
  t.not((await run('/bin/true', [], { env })).stderr, '', 'the linker says what it does');
  t.equal((await run(join(repoRoot, 'build/Release/tsrun'), ['--version'], { env })).stderr, '');
});

t.test('the error for another user’s containers says so', { skip }, async (t) => {
  const box = sandbox(t);
  const copy = join(box.directory, 'tsrun');
  copyFileSync(join(repoRoot, 'build/standalone/tsrun'), copy);
  chmodSync(box.directory, 0o755);
  mkdirSync(box.root, { recursive: true });
  chmodSync(box.root, 0o700);
  const args = ['--reuid', String(ordinaryId), '--clear-groups', copy, '--root', box.root, 'list'];
  const { code, stderr } = await run('setpriv', args);
  t.equal(code, 1);
  t.match(stderr, /cannot read .*: EACCES \(hint: they are another user’s: ask as that user/);
});
