/**
 * Destinations of mounts: /proc, /sys and the cgroup filesystem, symlinks of the image, and what must not be hidden.
 *
 * Also run with Debian's crun 1.8.1 and runc 1.1.5; tests that they fail are for tsrun only. Seen there: both refuse a
 * masked or read-only path below a file, and start with an image whose /dev/null is a symlink (CVE-2025-31133); crun
 * does not make what a dangling symlink points to.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Bundle, parseMountInfo, requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });
const cgroupOnly = requires({ root: true, cgroup2: true, runtime: 'tsrun' });

/** A bundle whose program is a shell script, and whose image `prepare` changes. */
function bundleWith(box: Sandbox, script: string, prepare: (bundle: Bundle) => void, edit?: (spec: Spec) => void) {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    edit?.(spec);
  });
  prepare(bundle);
  return bundle;
}

async function run(box: Sandbox, bundle: Bundle) {
  return box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
}

/** Makes `path` in the image a symlink. */
function link(bundle: Bundle, path: string, target: string): void {
  rmSync(join(bundle.rootfs, path), { recursive: true, force: true });
  symlinkSync(target, join(bundle.rootfs, path));
}

function withoutMount(spec: Spec, ...destinations: string[]): void {
  spec.mounts = spec.mounts.filter(({ destination }) => !destinations.includes(destination));
}

t.test('a /proc or /sys of the image that is a symlink is refused', { skip }, async (t) => {
  const box = sandbox(t);
  for (const name of ['proc', 'sys']) {
    const bundle = bundleWith(box, 'true', (bundle) => {
      mkdirSync(join(bundle.rootfs, 'elsewhere'));
      link(bundle, name, '/elsewhere');
    });
    const { code } = await run(box, bundle);
    t.not(code, 0, name);
    t.same(readdirSync(join(bundle.rootfs, 'elsewhere')), []);
  }
});

t.test('and the error says so', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWith(box, 'true', (bundle) => link(bundle, 'proc', 'etc'));
  const { stderr } = await run(box, bundle);
  t.match(stderr, /: \/mounts\/0: attach-mount \/proc: ELOOP \(a symbolic link stands in the way\)/);
});

t.test('a /dev of the image that leads out of it ends inside', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const outside = join(box.directory, 'outside');
  mkdirSync(outside);
  const bundle = bundleWith(
    box,
    'test -c /dev/null && echo device',
    (bundle) => link(bundle, 'dev', outside),
    (spec) => withoutMount(spec, '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue'),
  );
  const { stdout } = await run(box, bundle);
  t.equal(stdout, 'device\n');
  t.same(readdirSync(outside), [], 'nothing was made on the host');
});

t.test('a destination through symlinks and .. stays inside', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const outside = join(box.directory, 'outside');
  mkdirSync(outside);
  const bundle = bundleWith(
    box,
    'cut -d" " -f5 /proc/self/mountinfo',
    (bundle) => link(bundle, 'escape', outside),
    (spec) => {
      spec.mounts.push({ destination: '/escape/here', type: 'tmpfs', source: 'tmpfs' });
      spec.mounts.push({ destination: '/../../up/../there', type: 'tmpfs', source: 'tmpfs' });
    },
  );
  const { stdout } = await run(box, bundle);
  t.ok(stdout.split('\n').includes(`${outside}/here`));
  t.ok(stdout.split('\n').includes('/there'));
  t.same(readdirSync(outside), []);
});

t.test('the target of a dangling symlink in the image is made', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  writeFileSync(join(box.directory, 'hosts'), 'of the host\n');
  const source = join(box.directory, 'hosts');
  const bundle = bundleWith(
    box,
    'cat /run/systemd/resolve/stub.conf /etc/resolv.conf; stat -c %F /later/run/secrets',
    (bundle) => {
      symlinkSync('../run/systemd/resolve/stub.conf', join(bundle.rootfs, 'etc/resolv.conf'));
      symlinkSync('/later/run', join(bundle.rootfs, 'var/run'));
    },
    (spec) => {
      spec.mounts.push({ destination: '/etc/resolv.conf', source, options: ['bind'] });
      spec.mounts.push({ destination: '/var/run/secrets', type: 'tmpfs', source: 'tmpfs' });
    },
  );
  const { stdout } = await run(box, bundle);
  t.equal(stdout, 'of the host\nof the host\ndirectory\n');
});

t.test('symlinks in a circle', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = bundleWith(
    box,
    'true',
    (bundle) => {
      symlinkSync('b', join(bundle.rootfs, 'a'));
      symlinkSync('a', join(bundle.rootfs, 'b'));
    },
    (spec) => spec.mounts.push({ destination: '/a/x', type: 'tmpfs', source: 'tmpfs' }),
  );
  t.not((await run(box, bundle)).code, 0);
});

t.test('files of lxcfs may be mounted over those of /proc', { skip }, async (t) => {
  const box = sandbox(t);
  const source = join(box.directory, 'uptime');
  writeFileSync(source, '1.00 2.00\n');
  const output = await box.outputOf('cat /proc/uptime', (spec) => {
    spec.mounts.push({ destination: '/proc/uptime', source, options: ['bind', 'ro'] });
  });
  t.equal(output, '1.00 2.00\n');
});

t.test('other files of /proc may not be hidden', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const source = join(box.directory, 'fake');
  writeFileSync(source, '');
  for (const destination of ['/proc/self/attr/exec', '/proc/../proc/sysrq-trigger', 'proc/1/environ']) {
    const { code, stderr } = await box.runContainer(['/bin/true'], (spec) => {
      spec.mounts.push({ destination, source, options: ['bind'] });
    });
    t.equal(code, 1);
    t.match(stderr, /\/mounts\/\d+\/destination: .* cannot be mounted because it is inside \/proc/);
  }
});

t.test(
  'nor through a symlink of the image',
  { skip: requires({ root: true, runtime: ['tsrun', 'runc'] }) },
  async (t) => {
    const box = sandbox(t);
    const source = join(box.directory, 'fake');
    writeFileSync(source, '');
    const bundle = bundleWith(
      box,
      'true',
      (bundle) => symlinkSync('/proc/version', join(bundle.rootfs, 'harmless')),
      (spec) => spec.mounts.push({ destination: '/harmless', source, options: ['bind'] }),
    );
    const { code, stderr } = await run(box, bundle);
    t.equal(code, 1);
    t.match(stderr, /on the container's \/proc|inside \/proc/);
  },
);

t.test('only a procfs may be at /proc', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const tmpfs = await box.runContainer(['/bin/true'], (spec) => {
    spec.mounts.push({ destination: '/proc', type: 'tmpfs', source: 'tmpfs' });
  });
  t.match(tmpfs.stderr, /\/mounts\/\d+\/type: only a filesystem of type proc may be at \/proc, found tmpfs/);
  const directory = await box.runContainer(['/bin/true'], (spec) => {
    spec.mounts.push({ destination: '/proc', source: box.directory, options: ['bind'] });
  });
  t.match(directory.stderr, /\/mounts\/\d+\/source: clone-tree \/proc: only a procfs may be at \/proc/);
  const procfs = await box.outputOf('cat /proc/1/comm', (spec) => {
    withoutMount(spec, '/proc');
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
    spec.mounts.unshift({ destination: '/proc', source: '/proc', options: ['rbind'] });
  });
  t.equal(procfs, readFileSync('/proc/1/comm', 'utf8'));
});

t.test('a mount on / is refused', { skip: tsrunOnly }, async (t) => {
  for (const destination of ['/', '/..', '.']) {
    const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], (spec) => {
      spec.mounts.push({ destination, type: 'tmpfs', source: 'tmpfs' });
    });
    t.equal(code, 1);
    t.match(stderr, /\/mounts\/\d+\/destination: a mount on \/ would hide the root filesystem/);
  }
});

t.test('in a cgroup namespace the container sees its own cgroup as the root', { skip: cgroupOnly }, async (t) => {
  const output = await sandbox(t).outputOf(
    'cat /sys/fs/cgroup/cgroup.procs /proc/self/cgroup; ls -d /sys/fs/cgroup/*.procs',
  );
  t.match(output, /^1\n/);
  t.match(output, /^0::\/$/m);
});

t.test('without one it has its own part of the hierarchy, read-only', { skip: cgroupOnly }, async (t) => {
  const box = sandbox(t);
  const script = 'cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/new 2>&1; cat /proc/self/mountinfo';
  const output = await box.outputOf(script, (spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
    for (const mount of spec.mounts) if (mount.type === 'cgroup') mount.options = ['nosuid', 'rw'];
  });
  t.match(output, /^1\n/);
  t.match(output, /Read-only file system/);
  const found = parseMountInfo(output.slice(output.indexOf('system\n') + 7)).find(
    ({ mountPoint }) => mountPoint === '/sys/fs/cgroup',
  );
  t.match(found?.root, new RegExp(`^/(machine\\.slice/)?${box.cgroup.slice(1)}[/-]`), 'nothing above its own cgroup');
  t.match(found?.options, ['ro', 'nosuid']);
});

t.test('a masked file is the null device, a masked directory empty and read-only', { skip: tsrunOnly }, async (t) => {
  const output = await sandbox(t).outputOf(
    'cat /etc/passwd; ls -A /home /usr; touch /home/x 2>&1; stat -c "%F %t:%T" /etc/passwd; ls /missing 2>/dev/null; true',
    (spec) => {
      spec.linux.maskedPaths = ['/etc/passwd', '/home', '/usr', '/missing', '/etc/passwd/below'];
    },
  );
  t.match(output, /^\/home:\n\n\/usr:\n(touch: )?.*Read-only file system\ncharacter special file 1:3\n$/);
});

t.test('a path with .. is protected by its text, and where a link leads the kernel', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const script = 'cat /proc/keys /etc/group; ls -A /srv; touch /proc/sys/kernel/hostname /opt/x 2>&1; true';
  const bundle = bundleWith(
    box,
    script,
    (bundle) => {
      for (const directory of ['srv/deep/er', 'opt/deep'])
        mkdirSync(join(bundle.rootfs, directory), { recursive: true });
      symlinkSync('/srv/deep/er', join(bundle.rootfs, 'link'));
      symlinkSync('/opt/deep', join(bundle.rootfs, 'other'));
    },
    (spec) => {
      // As text they are /group, /srv and /opt.
      spec.linux.maskedPaths = ['/proc/../proc/keys', '/absent/../etc/group', '/link/../../../srv'];
      spec.linux.readonlyPaths = ['/absent/../proc/sys', '/other/../../opt'];
    },
  );
  const { code, stdout } = await run(box, bundle);
  t.equal(code, 0);
  t.match(
    stdout,
    /^(touch: )?[^\n]*hostname[^\n]*Read-only file system\n(touch: )?[^\n]*\/opt\/x[^\n]*Read-only file system\n$/,
  );
});

t.test('masks need the real null device', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const victim = join(box.directory, 'victim');
  writeFileSync(victim, 'kept\n');
  const bundle = bundleWith(
    box,
    'true',
    (bundle) => symlinkSync('/etc/group', join(bundle.rootfs, 'dev/null')),
    (spec) => {
      withoutMount(spec, '/dev', '/dev/pts', '/dev/shm', '/dev/mqueue');
      spec.linux.maskedPaths = ['/etc/passwd'];
    },
  );
  const { code, stdout } = await run(box, bundle);
  t.not(code, 0);
  t.equal(stdout, '');
});

t.test('a read-only path keeps the flags of its mount', { skip: tsrunOnly }, async (t) => {
  const output = await sandbox(t).outputOf(
    'touch /dev/shm/x 2>&1; touch /tmp/x && echo written; cat /proc/self/mountinfo',
    (spec) => {
      spec.linux.readonlyPaths = ['/dev/shm', '/missing', '/etc/passwd/below'];
    },
  );
  t.match(output, /Read-only file system\nwritten\n/);
  const mounts = parseMountInfo(output.slice(output.indexOf('written\n') + 8));
  t.match(mounts.findLast(({ mountPoint }) => mountPoint === '/dev/shm')?.options, ['ro', 'nosuid', 'nodev', 'noexec']);
});

t.test('a read-only path reaches the mounts below it', { skip: tsrunOnly }, async (t) => {
  const output = await sandbox(t).outputOf('touch /dev/shm/x 2>&1; true', (spec) => {
    spec.linux.readonlyPaths = ['/dev'];
  });
  t.match(output, /Read-only file system/);
});

t.test('root.readonly', { skip }, async (t) => {
  const output = await sandbox(t).outputOf('touch /x 2>&1; touch /dev/shm/x && echo written', (spec) => {
    spec.root.readonly = true;
  });
  t.match(output, /Read-only file system\nwritten\n/);
});

t.test('a failed mount leaves nothing on the host', { skip }, async (t) => {
  const box = sandbox(t);
  const { code } = await box.runContainer(['/bin/true'], (spec) => {
    spec.mounts.push({ destination: '/m', source: '/no/such/thing', options: ['bind'] });
  });
  t.equal(code, 1);
  // Only this test's own directory: others may be mounting at the same time.
  t.notMatch(readFileSync('/proc/self/mountinfo', 'utf8'), box.directory);
});
