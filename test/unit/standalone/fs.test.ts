/** Our node:fs must do what Node's does. */
import * as node from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import * as ours from '../../../src/standalone/fs.ts';

const codeOf = (act: () => unknown): unknown => {
  try {
    act();
    return 'no error';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
};

t.test('writes what node:fs reads, and reads what it writes', async (t) => {
  const file = join(t.testdir(), 'file');
  ours.writeFileSync(file, 'grüße', { mode: 0o600 });
  t.equal(node.readFileSync(file, 'utf8'), 'grüße');
  t.equal(node.statSync(file).mode & 0o777, 0o600);
  node.writeFileSync(file, Buffer.alloc(200_000, 7));
  t.strictSame(ours.readFileSync(file), node.readFileSync(file));
  ours.appendFileSync(file, 'x');
  t.equal(node.statSync(file).size, 200_001);
  t.equal(
    codeOf(() => ours.writeFileSync(file, '', { flag: 'wx' })),
    'EEXIST',
  );
});

t.test('a file of the kernel without a size is read whole', async (t) => {
  t.equal(
    ours.readFileSync('/proc/self/status', 'utf8').split('\n')[0],
    node.readFileSync('/proc/self/status', 'utf8').split('\n')[0],
  );
});

t.test('directories', async (t) => {
  const directory = t.testdir({ a: { b: 'c' }, d: 'e' });
  t.strictSame(ours.readdirSync(directory).sort(), ['a', 'd']);
  const types = ours
    .readdirSync(directory, { withFileTypes: true })
    .map((entry) => [entry.name, entry.isDirectory(), entry.isFile()]);
  t.strictSame(types.sort(), [
    ['a', true, false],
    ['d', false, true],
  ]);
  ours.mkdirSync(join(directory, 'x/y/z'), { recursive: true, mode: 0o700 });
  ours.mkdirSync(join(directory, 'x/y/z'), { recursive: true });
  t.ok(node.statSync(join(directory, 'x/y/z')).isDirectory());
  t.equal(
    codeOf(() => ours.mkdirSync(join(directory, 'a'))),
    'EEXIST',
  );
  t.equal(
    codeOf(() => ours.rmdirSync(join(directory, 'a'))),
    'ENOTEMPTY',
  );
});

t.test('removing a tree follows no link', async (t) => {
  const directory = t.testdir({
    outside: { kept: '' },
    tree: { sub: { file: '' }, link: t.fixture('symlink', '../outside') },
  });
  ours.rmSync(join(directory, 'tree'), { recursive: true, force: true });
  ours.rmSync(join(directory, 'tree'), { recursive: true, force: true });
  t.notOk(node.existsSync(join(directory, 'tree')));
  t.ok(node.existsSync(join(directory, 'outside/kept')));
});

t.test('what stat says', async (t) => {
  const directory = t.testdir({ file: 'abc', link: t.fixture('symlink', 'file') });
  for (const name of ['file', 'link', '.']) {
    const path = join(directory, name);
    for (const [mine, theirs] of [
      [ours.statSync(path), node.statSync(path)],
      [ours.lstatSync(path), node.lstatSync(path)],
    ] as const) {
      t.strictSame(
        [mine.mode, mine.size, mine.uid, mine.ino, mine.dev, mine.isFile(), mine.isDirectory(), mine.isSymbolicLink()],
        [
          theirs.mode,
          theirs.size,
          theirs.uid,
          theirs.ino,
          theirs.dev,
          theirs.isFile(),
          theirs.isDirectory(),
          theirs.isSymbolicLink(),
        ],
      );
      t.ok(Math.abs(mine.mtimeMs - theirs.mtimeMs) < 1);
    }
  }
  t.equal(ours.statSync('/nowhere', { throwIfNoEntry: false }), undefined);
  t.equal(
    codeOf(() => ours.statSync('/nowhere')),
    'ENOENT',
  );
  t.equal(ours.readlinkSync(join(directory, 'link')), 'file');
  ours.symlinkSync('any text', join(directory, 'text'));
  t.equal(node.readlinkSync(join(directory, 'text')), 'any text');
  t.equal(ours.statfsSync(tmpdir()).type, node.statfsSync(tmpdir()).type);
});

t.test('descriptors', async (t) => {
  const path = join(t.testdir({ file: '0123456789' }), 'file');
  const fd = ours.openSync(path, ours.constants.O_RDWR);
  const bytes = Buffer.alloc(4);
  ours.fsyncSync(fd);
  t.equal(ours.readSync(fd, bytes, 1, 3, 2), 3);
  t.equal(bytes.toString('latin1', 1), '234');
  t.equal(ours.writeSync(fd, Buffer.from('xab'), 1, 2, 4), 2);
  ours.ftruncateSync(fd, 7);
  t.equal(ours.fstatSync(fd).size, 7);
  const flags = /flags:\s*([0-7]+)/.exec(node.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  t.equal(Number.parseInt(flags ?? '0', 8) & 0o2000000, 0o2000000, 'close-on-exec');
  ours.closeSync(fd);
  t.equal(
    codeOf(() => ours.closeSync(fd)),
    'EBADF',
  );
  t.equal(node.readFileSync(path, 'utf8'), '0123ab6');
  ours.renameSync(path, `${path}2`);
  ours.unlinkSync(`${path}2`);
  t.equal(
    codeOf(() => ours.readFileSync(`${path}2`)),
    'ENOENT',
  );
});

t.test('constants are the kernel’s', async (t) => {
  for (const [name, value] of Object.entries(ours.constants)) {
    t.equal(value, (node.constants as Record<string, number>)[name], name);
  }
});
