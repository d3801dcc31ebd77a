/**
 * Options of mounts (config.md, Linux mount options), as the container's mountinfo shows them.
 *
 * Also run with Debian's crun 1.8.1 and runc 1.1.5; tests that they fail are for tsrun only. Seen there: crun keeps an
 * option although its opposite follows, leaves the filesystem of a read-only mount writable, and refuses nosymfollow
 * and r-options on a new filesystem; runc ignores r-options; both give a tmpfs another mode.
 */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { knownMountOptions } from '../../../src/lower/mounts/mount-options.ts';
import {
  type Mount,
  type MountInfo,
  parseMountInfo,
  requires,
  type Sandbox,
  type Spec,
  sandbox,
} from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

/** The mountinfo of the last mount at `path` in a container with these mounts added. */
async function mountAt(box: Sandbox, path: string, ...mounts: Mount[]): Promise<MountInfo> {
  const output = await box.outputOf(['/bin/cat', '/proc/self/mountinfo'], add(...mounts));
  const found = parseMountInfo(output).findLast(({ mountPoint }) => mountPoint === path);
  if (found === undefined) throw new Error(`nothing is mounted at ${path}:\n${output}`);
  return found;
}

function add(...mounts: Mount[]) {
  return (spec: Spec) => {
    spec.mounts.push(...mounts);
  };
}

function tmpfs(destination: string, ...options: string[]): Mount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

/** A directory on the host with a file in it. */
function hostDirectory(box: Sandbox, name = 'data'): string {
  const path = join(box.directory, name);
  mkdirSync(path);
  writeFileSync(join(path, 'file'), 'of the host\n');
  return path;
}

t.test('attributes of a new filesystem', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const cases: [string[], string[], string[]][] = [
    [['ro', 'nosuid', 'nodev', 'noexec'], ['ro', 'nosuid', 'nodev', 'noexec', 'relatime'], ['ro']],
    [['ro', 'rw', 'nosuid', 'suid', 'nodev', 'dev', 'noexec', 'exec'], ['rw', 'relatime'], ['rw']],
    [['noatime', 'nodiratime'], ['rw', 'noatime', 'nodiratime'], ['rw']],
    [['nodiratime', 'diratime', 'noatime', 'atime'], ['rw', 'relatime'], ['rw']],
    [['strictatime'], ['rw'], ['rw']],
    [['strictatime', 'nostrictatime', 'relatime', 'norelatime'], ['rw', 'relatime'], ['rw']],
    [['defaults'], ['rw', 'relatime'], ['rw']],
  ];
  const mounts = cases.map(([options], i) => tmpfs(`/m${i}`, ...options));
  const output = await box.outputOf(['/bin/cat', '/proc/self/mountinfo'], add(...mounts));
  for (const [i, [asked, own, superblock]] of cases.entries()) {
    const found = parseMountInfo(output).find(({ mountPoint }) => mountPoint === `/m${i}`);
    t.same(found?.options, own, asked.join(','));
    t.match(found?.superOptions, superblock, `${asked.join(',')}: superblock`);
  }
});

t.test('a read-only tmpfs is protected after what is made in it', { skip }, async (t) => {
  // podman's pods have such a /dev; runc and crun make it read-only at the end, too.
  const script = 'echo x > /dev/null && ls -d /dev/pts/ptmx /sub && touch /dev/x';
  const { code, stdout, stderr } = await sandbox(t).runContainer(script, (spec) => {
    const dev = spec.mounts.find(({ destination }) => destination === '/dev');
    dev?.options?.push('ro');
    spec.mounts.push(tmpfs('/sub', 'ro'), tmpfs('/sub/below'));
  });
  t.equal(code, 1);
  t.equal(stdout, '/dev/pts/ptmx\n/sub\n');
  t.match(stderr, /\/dev\/x: Read-only file system/);
});

t.test('an empty option counts as absent', { skip }, async (t) => {
  const stdout = await sandbox(t).outputOf('grep " /m " /proc/mounts', (spec) => {
    spec.mounts.push(tmpfs('/m', '', 'nodev', ''));
  });
  t.match(stdout, 'nodev');
});

t.test('options of the filesystem itself', { skip }, async (t) => {
  const { superOptions } = await mountAt(sandbox(t), '/m', tmpfs('/m', 'sync', 'dirsync', 'lazytime', 'size=64k'));
  t.match(superOptions, ['rw', 'sync', 'dirsync', 'lazytime']);
  t.ok(superOptions.includes('size=64k'));
});

t.test('their opposites', { skip: tsrunOnly }, async (t) => {
  const options = ['sync', 'async', 'lazytime', 'nolazytime', 'mand', 'nomand'];
  const { superOptions } = await mountAt(sandbox(t), '/m', tmpfs('/m', ...options));
  t.same(
    superOptions.filter((option) => ['sync', 'lazytime', 'mand'].includes(option)),
    [],
  );
});

t.test('iversion, noiversion, silent and loud are no parameters of the filesystem', { skip: tsrunOnly }, async (t) => {
  const options = ['iversion', 'silent', 'nosuid', 'size=64k'];
  const box = sandbox(t);
  const { options: own, superOptions } = await mountAt(box, '/m', tmpfs('/m', ...options));
  t.same(own, ['rw', 'nosuid', 'relatime']);
  t.ok(superOptions.includes('size=64k'));
  await mountAt(box, '/n', tmpfs('/n', 'iversion', 'noiversion', 'silent', 'loud'));
});

t.test('every option that tsrun knows can be given', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const special = ['bind', 'rbind', 'remount', 'idmap', 'ridmap', 'tmpcopyup', 'copy-symlink'];
  const options = knownMountOptions.filter((option) => !special.includes(option));
  for (const option of options) {
    const { code, stderr } = await box.runContainer(['/bin/true'], add(tmpfs('/m', option)));
    t.equal(code, 0, `${option} ${stderr}`);
  }
});

t.test('nosymfollow', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const script = 'ln -s /bin /m/l && ls /m/l > /dev/null 2>&1; echo $?';
  t.equal(await box.outputOf(script, add(tmpfs('/m', 'nosymfollow'))), '1\n');
  t.equal(await box.outputOf(script, add(tmpfs('/m', 'nosymfollow', 'symfollow'))), '0\n');
});

t.test(
  'an unknown option goes to the filesystem, and its refusal is told in its words',
  { skip: tsrunOnly },
  async (t) => {
    const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], add(tmpfs('/m', 'no-such-thing=1')));
    t.equal(code, 1);
    t.match(stderr, /\/mounts\/\d+: new-filesystem \/m: .*Unknown parameter 'no-such-thing'.*nor one of tmpfs/);
  },
);

t.test('an unknown filesystem type', { skip: tsrunOnly }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], add({ destination: '/m', type: 'nofs' }));
  t.equal(code, 1);
  t.match(stderr, /\/mounts\/\d+: new-filesystem \/m: .*nofs: ENODEV.*knows no filesystem type nofs/);
});

t.test('a bind is a bind by its options, whatever its type', { skip }, async (t) => {
  const box = sandbox(t);
  const source = hostDirectory(box);
  for (const type of ['bind', 'none', 'tmpfs', undefined]) {
    const mount: Mount = { destination: '/m', source, options: ['bind'] };
    if (type !== undefined) mount.type = type;
    t.equal(await box.outputOf('cat /m/file', add(mount)), 'of the host\n', type ?? 'no type');
  }
});

t.test('the type bind without the option is an error', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const mount: Mount = { destination: '/m', type: 'bind', source: hostDirectory(box) };
  const { code, stderr } = await box.runContainer(['/bin/true'], add(mount));
  t.equal(code, 1);
  t.match(stderr, /\/mounts\/\d+\/type: .*bind.* is not a filesystem type .*rbind/);
});

t.test('a bind of a file makes a file, a bind of a directory a directory', { skip }, async (t) => {
  const box = sandbox(t);
  const source = hostDirectory(box);
  const output = await box.outputOf(
    'stat -c %F /new/place/file /new/directory; cat /new/place/file /new/directory/file',
    add(
      { destination: '/new/place/file', source: join(source, 'file'), options: ['bind'] },
      { destination: '/new/directory', source, options: ['bind'] },
    ),
  );
  t.equal(output, 'regular file\ndirectory\nof the host\nof the host\n');
});

t.test('a file cannot be bound onto a directory', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const mount = { destination: '/etc', source: join(hostDirectory(box), 'file'), options: ['bind'] };
  const { code, stderr } = await box.runContainer(['/bin/true'], add(mount));
  t.equal(code, 1);
  t.match(stderr, /\/mounts\/\d+: attach-mount \/etc: ENOTDIR.*a file onto a file/);
});

t.test('a relative source is relative to the bundle', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/cat', '/m/file'];
    spec.mounts.push({ destination: '/m', source: 'beside', options: ['bind'] });
  });
  mkdirSync(join(bundle.directory, 'beside'));
  writeFileSync(join(bundle.directory, 'beside/file'), 'in the bundle\n');
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(stdout, 'in the bundle\n');
});

t.test('a relative destination is relative to the root', { skip }, async (t) => {
  const { mountPoint } = await mountAt(sandbox(t), '/some/place', tmpfs('some/place'));
  t.equal(mountPoint, '/some/place');
});

t.test('a missing source is named', { skip }, async (t) => {
  const mount = { destination: '/m', source: '/no/such/directory', options: ['bind'] };
  const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], add(mount));
  t.equal(code, 1);
  t.match(stderr, /\/no\/such\/directory.*no such file or directory/i);
});

t.test('and where it was asked for', { skip: tsrunOnly }, async (t) => {
  const mount = { destination: '/m', source: '/no/such/directory', options: ['bind'] };
  const { stderr } = await sandbox(t).runContainer(['/bin/true'], add(mount));
  t.match(stderr, /\/mounts\/\d+\/source: mount on \/m: \/no\/such\/directory: no such file or directory/);
});

t.test('a bind changes what its options name and keeps the rest', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const source = hostDirectory(box);
  const first = { destination: '/a', source, options: ['bind', 'nosuid', 'noatime', 'nodev'] };
  const { options } = await mountAt(box, '/a', first, {
    destination: '/a',
    options: ['remount', 'bind', 'ro', 'dev', 'strictatime'],
  });
  t.same(options, ['ro', 'nosuid']);
});

t.test('a bind is read-only for the container and writable on the host', { skip }, async (t) => {
  const box = sandbox(t);
  const source = hostDirectory(box);
  const output = await box.outputOf(
    'touch /m/x 2>&1; cat /m/file',
    add({ destination: '/m', source, options: ['bind', 'ro'] }),
  );
  t.match(output, /Read-only file system\nof the host/);
  writeFileSync(join(source, 'file'), 'still writable\n');
});

t.test('data for a filesystem is an error for a bind', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const mount = { destination: '/m', source: hostDirectory(box), options: ['bind', 'size=1m'] };
  const { code, stderr } = await box.runContainer(['/bin/true'], add(mount));
  t.equal(code, 1);
  t.match(stderr, /\/mounts\/\d+\/options\/1: unknown mount option .*size=1m/);
});

t.test('rbind takes the mounts below along, and r-options reach them', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const source = hostDirectory(box);
  mkdirSync(join(source, 'below'));
  const writable = async (...options: string[]) => {
    return box.outputOf('for d in /n /n/below; do touch $d/x 2>/dev/null && echo $d; done; true', (spec) => {
      // A tree of two mounts, made in the container, which the source of the next bind includes.
      spec.mounts.push({ destination: '/m', source, options: ['bind'] }, tmpfs('/m/below'));
      spec.mounts.push({ destination: '/n', source: join(spec.root.path, 'm'), options });
    });
  };
  t.equal(await writable('rbind', 'rro'), '');
  t.equal(await writable('rbind', 'ro'), '/n/below\n');
  t.equal(await writable('rbind', 'rro', 'rrw'), '/n\n/n/below\n');
  t.equal(await writable('bind', 'rro'), '');
});

t.test('recursive attributes, on a new filesystem too', { skip: tsrunOnly }, async (t) => {
  const options = ['rro', 'rnosuid', 'rnodev', 'rnoexec', 'rnoatime', 'rnodiratime'];
  const found = await mountAt(sandbox(t), '/m', tmpfs('/m', ...options));
  t.same(found.options, ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime']);
});

t.test('recursive opposites', { skip: tsrunOnly }, async (t) => {
  const set = ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'nosymfollow'];
  const taken = ['rrw', 'rsuid', 'rdev', 'rexec', 'ratime', 'rdiratime', 'rsymfollow'];
  const found = await mountAt(sandbox(t), '/m', tmpfs('/m', ...set, ...taken));
  t.same(found.options, ['rw', 'relatime']);
});

t.test('propagation', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const propagation = async (...options: string[]) => (await mountAt(box, '/m', tmpfs('/m', ...options))).propagation;
  t.match(await propagation('shared'), [/^shared:\d+$/]);
  t.match(await propagation('rshared'), [/^shared:\d+$/]);
  t.same(await propagation('private'), []);
  t.same(await propagation('shared', 'rprivate'), []);
  t.same(await propagation('slave'), []);
  t.same(await propagation('rslave'), []);
  t.same(await propagation('unbindable'), ['unbindable']);
  t.same(await propagation('runbindable'), ['unbindable']);
});

t.test('remount changes the filesystem of an earlier entry', { skip: tsrunOnly }, async (t) => {
  const found = await mountAt(sandbox(t), '/m', tmpfs('/m', 'nosuid', 'size=64k'), {
    destination: '/m',
    type: 'tmpfs',
    options: ['remount', 'ro', 'size=128k'],
  });
  t.same(found.options, ['ro', 'nosuid', 'relatime']);
  t.ok(found.superOptions.includes('ro'));
  t.ok(found.superOptions.includes('size=128k'));
});

t.test('remount does not change a filesystem of the host', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const source = hostDirectory(box);
  const { code, stderr } = await box.runContainer(
    ['/bin/true'],
    add({ destination: '/m', source, options: ['bind'] }, { destination: '/m', options: ['remount', 'ro'] }),
  );
  t.equal(code, 1);
  t.match(
    stderr,
    /\/mounts\/\d+\/options: remount would change a filesystem that is not the container's own .*add bind/,
  );
});

t.test('remount of a path that is not a mount', { skip: tsrunOnly }, async (t) => {
  const mount = { destination: '/etc', options: ['remount', 'bind', 'ro'] };
  const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], add(mount));
  t.equal(code, 1);
  t.match(stderr, /\/mounts\/\d+: find-mount \/etc: nothing is mounted there/);
});

t.test('a tmpfs looks like the directory it hides', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const mode = async (...options: string[]) => {
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/bin/stat', '-c', '%a', '/hidden'];
      spec.mounts.push(tmpfs('/hidden', ...options));
    });
    mkdirSync(join(bundle.rootfs, 'hidden'));
    chmodSync(join(bundle.rootfs, 'hidden'), 0o710);
    return (await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()])).stdout;
  };
  t.equal(await mode(), '710\n');
  t.equal(await mode('mode=700'), '700\n');
});

t.test('tmpcopyup shows what the image has, in a filesystem of its own', { skip }, async (t) => {
  const box = sandbox(t);
  const run = async (script: string, ...options: string[]) => {
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/bin/sh', '-c', script];
      spec.mounts.push(tmpfs('/srv', 'tmpcopyup', ...options));
    });
    bundle.addFile('srv/deep/down/file', 'content\n', 0o640);
    symlinkSync('deep/down/file', join(bundle.rootfs, 'srv/link'));
    const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
    return { stdout, bundle };
  };
  const { stdout, bundle } = await run(
    'cat /srv/link; stat -c %a /srv/deep/down/file; readlink /srv/link; touch /srv/new && echo written',
  );
  t.equal(stdout, 'content\n640\ndeep/down/file\nwritten\n');
  t.notOk(bundle.has('srv/new'));
  t.match(
    (await run('cat /srv/link; touch /srv/new 2>&1', 'ro').catch((error) => ({ stdout: String(error) }))).stdout,
    /content\n.*Read-only/,
  );
});

t.test('tmpcopyup is for tmpfs', { skip: tsrunOnly }, async (t) => {
  const mount = { destination: '/m', type: 'ramfs', source: 'ramfs', options: ['tmpcopyup'] };
  const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], add(mount));
  t.equal(code, 1);
  t.match(stderr, /\/mounts\/\d+\/options\/0: tmpcopyup is for mounts of type tmpfs, found .*ramfs/);
});
