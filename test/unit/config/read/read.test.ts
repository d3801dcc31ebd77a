import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { maxConfigSize, readBundleConfig } from '../../../../src/config/read/read.ts';
import { TsrunError } from '../../../../src/errors.ts';

t.test('text, path and value of a bundle', async (t) => {
  const bundle = t.testdir({ 'config.json': '{"a": "ü\ufffd"}' });
  t.strictSame(readBundleConfig(bundle), {
    text: '{"a": "ü\ufffd"}',
    path: join(bundle, 'config.json'),
    value: { a: 'ü\ufffd' },
  });
});

t.test('a file that claims to be empty is read to its end', async (t) => {
  const bundle = t.testdir({ 'config.json': t.fixture('symlink', '/proc/self/mountinfo') });
  t.match(messageFor(bundle), /config\.json:1:\d+: /, 'it is no JSON, but it is read');
});

t.test('a missing config is reported in the words that callers match', async (t) => {
  const bundle = t.testdir({ file: '' });
  const message = 'JSON specification file config.json not found';
  t.equal(messageFor(bundle), `${message} in bundle ${bundle}`);
  t.equal(messageFor(join(bundle, 'x')), `${message}: there is no bundle directory ${bundle}/x`);
  t.equal(messageFor(join(bundle, 'file')), `${message}: --bundle is a directory, and ${bundle}/file a file`);
  t.equal(messageFor(join(bundle, 'file', 'x')), `${message}: there is no bundle directory ${bundle}/file/x`);
});

t.test('not a regular file', async (t) => {
  const bundle = t.testdir();
  const path = join(bundle, 'config.json');
  mkdirSync(path);
  t.equal(messageFor(bundle), `${path} is not a regular file`);
  const withFifo = t.testdir({ fifo: {} });
  const fifo = join(withFifo, 'fifo', 'config.json');
  execFileSync('mkfifo', [fifo]);
  t.equal(messageFor(join(withFifo, 'fifo')), `${fifo} is not a regular file`, 'and does not hang');
});

t.test('a loop of symlinks', async (t) => {
  const bundle = t.testdir();
  symlinkSync('config.json', join(bundle, 'config.json'));
  t.match(messageFor(bundle), /^cannot open .*config\.json: ELOOP/);
});

/** Debian 13's node refuses seteuid(2), because its libuv may use io_uring (CVE-2024-22017). */
function refusesSeteuid(): string | false {
  try {
    process.seteuid?.(process.geteuid?.() ?? 0);
    return false;
  } catch {
    return 'this node refuses seteuid(2)';
  }
}

t.test('an unreadable file', { skip: refusesSeteuid() }, async (t) => {
  const bundle = mkdtempSync(join(tmpdir(), 'tsrun-read-'));
  t.teardown(() => rmSync(bundle, { recursive: true }));
  writeFileSync(join(bundle, 'config.json'), '{}', { mode: 0 });
  chmodSync(bundle, 0o755);
  const user = process.geteuid?.() ?? 0;
  if (user === 0) process.seteuid?.(65534);
  try {
    t.equal(messageFor(bundle), `cannot open ${bundle}/config.json: permission denied`);
  } finally {
    process.seteuid?.(user);
  }
});

t.test('a file that is too large is refused before it is read', async (t) => {
  const bundle = t.testdir({ 'config.json': '{}' });
  const path = join(bundle, 'config.json');
  truncateSync(path, 2 ** 40);
  t.equal(messageFor(bundle), `${path} is too large: at most ${maxConfigSize} bytes are read, it has ${2 ** 40} bytes`);
  writeFileSync(path, `{"a": "${'x'.repeat(maxConfigSize - 9)}"}`);
  t.equal(messageFor(bundle), undefined, 'the limit itself is accepted');
});

t.test('a file that is not UTF-8', async (t) => {
  const bundle = t.testdir();
  writeFileSync(join(bundle, 'config.json'), Buffer.from('{"a": "\xfc"}', 'latin1'));
  t.match(messageFor(bundle), /config\.json: not UTF-8: invalid byte at offset 7$/);
});

t.test('errors name the file', async (t) => {
  const bundle = t.testdir({ 'config.json': '{"a": }' });
  t.equal(messageFor(bundle), `${bundle}/config.json:1:7: expected a value, found "}"`);
});

function messageFor(bundle: string): string | undefined {
  try {
    readBundleConfig(bundle);
    return undefined;
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    return error.message;
  }
}
