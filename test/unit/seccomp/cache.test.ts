import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FilterCache } from '../../../src/seccomp/cache.ts';
import { requires } from '../../harness/index.ts';

const skip = requires({ files: ['build/Release/tsrun.node'] });
const filter = { program: Buffer.from('0600000000000000', 'hex'), unknown: ['newer'] };

/** A cache with one entry, and the paths behind it. */
function filled(t: Test) {
  const top = mkdtempSync(join(tmpdir(), 'tsrun-test-cache-'));
  t.teardown(() => rmSync(top, { recursive: true }));
  const directory = join(top, 'cache');
  const cache = new FilterCache(directory);
  cache.store('key', filter);
  const [name = ''] = readdirSync(directory);
  return { cache, directory, file: join(directory, name) };
}

t.test('an entry is found only under its key', { skip }, async (t) => {
  const { cache } = filled(t);
  t.same(cache.find('key'), filter);
  t.equal(cache.find('another key'), undefined);
});

t.test('an empty cache is no error', { skip }, async (t) => {
  t.equal(new FilterCache('/no/such/directory').find('key'), undefined);
});

t.test('any changed byte makes an entry count as absent', { skip }, async (t) => {
  const { cache, file } = filled(t);
  const good = readFileSync(file);
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad.writeUInt8((bad.readUInt8(at) + 1) & 0xff, at);
    writeFileSync(file, bad);
    t.equal(cache.find('key'), undefined, `byte ${at}`);
  }
  writeFileSync(file, good.subarray(0, good.length - 3));
  t.equal(cache.find('key'), undefined, 'cut short');
  writeFileSync(file, '');
  t.equal(cache.find('key'), undefined, 'empty');
  writeFileSync(file, good);
  t.same(cache.find('key'), filter, 'and whole again');
});

t.test('an entry with the checksum of another key does not pass for it', { skip }, async (t) => {
  const { cache, file, directory } = filled(t);
  const other = readFileSync(file);
  cache.store('another key', filter);
  for (const name of readdirSync(directory)) writeFileSync(join(directory, name), other);
  t.equal(cache.find('another key'), undefined);
});

t.test('a file that others could have written is not used', { skip }, async (t) => {
  const { cache, file } = filled(t);
  chmodSync(file, 0o666);
  t.equal(cache.find('key'), undefined);
  chmodSync(file, 0o600);
  t.same(cache.find('key'), filter);
  if (process.geteuid?.() !== 0) return;
  chownSync(file, 1000, 1000);
  t.equal(cache.find('key'), undefined);
});

t.test('nothing is put into a directory that others can write to', { skip }, async (t) => {
  const { cache, directory, file } = filled(t);
  rmSync(file);
  chmodSync(directory, 0o777);
  cache.store('key', filter);
  t.same(readdirSync(directory), []);
});

t.test('a symbolic link is not followed', { skip }, async (t) => {
  const { cache, directory, file } = filled(t);
  const elsewhere = join(directory, 'elsewhere');
  writeFileSync(elsewhere, readFileSync(file), { mode: 0o600 });
  rmSync(file);
  symlinkSync(elsewhere, file);
  t.equal(cache.find('key'), undefined);
});

t.test('the oldest entries make room', { skip }, async (t) => {
  const { cache, directory, file } = filled(t);
  utimesSync(file, 1, 1);
  for (let i = 0; i < 200; i++) cache.store(`key ${i}`, filter);
  t.equal(readdirSync(directory).length, 128);
  t.equal(cache.find('key'), undefined);
  t.same(cache.find('key 199'), filter);
});
