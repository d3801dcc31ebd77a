/** Mount options and sources of 256 bytes and more, which fsconfig(2) does not accept. crun and runc use mount(2). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Mount, parseMountInfo, requires, type Sandbox, type Spec, sandbox, says } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

/** Directories for an overlay, each with a file named by its number. */
function layers(box: Sandbox, count: number, length: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const path = join(box.directory, `${index}`.padEnd(length, 'x'));
    mkdirSync(path);
    writeFileSync(join(path, `file-${index}`), `${index}\n`);
    return path;
  });
}

function withMount(mount: Mount) {
  return (spec: Spec) => {
    spec.mounts.push(mount);
  };
}

function overlay(lower: readonly string[], ...options: string[]): Mount {
  return {
    destination: '/m',
    type: 'overlay',
    source: 'overlay',
    options: [`lowerdir=${lower.join(':')}`, ...options],
  };
}

t.test('an overlay with a long lowerdir', { skip }, async (t) => {
  const box = sandbox(t);
  const lower = layers(box, 12, 120);
  t.equal(
    await box.outputOf('cat /m/file-0 /m/file-11; touch /m/x || echo read-only', withMount(overlay(lower))),
    '0\n11\nread-only\n',
  );
});

t.test('with attributes of the mount', { skip }, async (t) => {
  const box = sandbox(t);
  const lower = layers(box, 12, 120);
  const mount = overlay(lower, 'nosuid', 'noexec');
  const output = await box.outputOf('cat /proc/self/mountinfo', withMount(mount));
  const found = parseMountInfo(output).find(({ mountPoint }) => mountPoint === '/m');
  t.ok(found?.options.includes('nosuid') && found.options.includes('noexec'));
});

t.test('longer than a page: runc and crun cannot', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const lower = layers(box, 50, 150);
  t.equal(await box.outputOf('cat /m/file-0 /m/file-49', withMount(overlay(lower))), '0\n49\n');
});

t.test('a single directory that is too long', { skip }, async (t) => {
  const box = sandbox(t);
  const deep = join(box.directory, 'd'.repeat(200), 'e'.repeat(200));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'file'), 'deep\n');
  const plain = layers(box, 1, 10);
  t.equal(await box.outputOf('cat /m/file /m/file-0', withMount(overlay([deep, ...plain]))), 'deep\n0\n');
});

t.test('a long source', { skip }, async (t) => {
  const box = sandbox(t);
  const source = 'x'.repeat(300);
  const tmpfs: Mount = { destination: '/m', type: 'tmpfs', source, options: ['size=64k', 'noexec', 'ro'] };
  const output = await box.outputOf('cat /proc/self/mountinfo', withMount(tmpfs));
  const found = parseMountInfo(output).find(({ mountPoint }) => mountPoint === '/m');
  t.match(found, { options: ['ro', 'noexec', 'relatime'] });
  t.ok(output.includes(source));
});

t.test('a tmpfs with a long source looks like what it hides', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/stat', '-c', '%a', '/m'];
    spec.mounts.push({ destination: '/m', type: 'tmpfs', source: 'x'.repeat(300) });
  });
  mkdirSync(join(bundle.rootfs, 'm'), { mode: 0o750 });
  t.equal((await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout, '750\n');
});

t.test('a value that no call accepts is refused with a clear error', { skip }, async (t) => {
  const box = sandbox(t);
  const deep = Array.from({ length: 20 }, () => `/${'d'.repeat(200)}/${'e'.repeat(100)}`);
  const { code, stderr } = await box.runContainer(['/bin/true'], withMount(overlay(deep)));
  t.not(code, 0);
  says(t, stderr, /mounts\/\d+\/options: mount\(2\) takes 4095 bytes of options, found 6\d+/);
});
