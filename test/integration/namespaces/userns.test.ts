/** User namespaces: linux.uidMappings and gidMappings, their effect on files, devices and hooks, and joining one. */
import { chmodSync, chownSync, mkdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import t from 'tap';
import { type Bundle, inUserNamespace, requires, type Sandbox, type Spec, sandbox, says } from '../../harness/index.ts';

const skip = requires({ root: true, userns: true });
const skipTsrun = requires({ root: true, userns: true, runtime: 'tsrun' });

const base = 100000;
const size = 65536;

/** An empty pipe: runc and crun make the namespace's root the owner of their stdin, even of the host's /dev/null. */
const noStdin = { input: '' };

t.test('root inside is an ordinary user outside', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = userBundle(box, 'cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g; : > /tmp/made');
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).join(' '));
  t.same(lines, [`0 ${base} ${size}`, `0 ${base} ${size}`, '0', '0']);
  const { uid, gid } = statSync(`${bundle.rootfs}/tmp/made`);
  t.same({ uid, gid }, { uid: base, gid: base });
});

t.test('the user of the config is a user of the namespace', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = userBundle(box, 'id -u; id -g; id -G; : > /tmp/made', (spec) => {
    spec.process.user = { uid: 7, gid: 8, additionalGids: [9] };
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
  t.equal(stdout, '7\n8\n8 9\n');
  t.equal(statSync(`${bundle.rootfs}/tmp/made`).uid, base + 7);
});

t.test('several ranges are mapped, also without the root of the namespace', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const bundle = userBundle(box, 'cat /proc/self/uid_map; id -u; grep CapEff /proc/self/status', (spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
    const ranges = [
      { containerID: 1000, hostID: base, size: 1 },
      { containerID: 2000, hostID: base + 5, size: 10 },
    ];
    spec.linux.uidMappings = ranges;
    spec.linux.gidMappings = ranges;
    // devpts needs the root of the namespace as its owner, and there is none.
    spec.mounts = spec.mounts.filter(({ destination }) => ['/proc', '/dev'].includes(destination));
    spec.process.capabilities = {};
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).join(' '));
  t.same(lines, [`1000 ${base} 1`, `2000 ${base + 5} 10`, '1000', 'CapEff: 0000000000000000']);
});

const skipRoot = requires({ root: true, userns: true, differs: { crun: 'takes any mapping' } });

t.test('mounts that an unmapped ID 0 would own are refused', { skip: skipRoot }, async (t) => {
  const box = sandbox(t);
  const mapped = [{ containerID: 0, hostID: base, size }];
  const unmapped = [{ containerID: 1, hostID: base, size }];
  for (const [uids, gids, place] of [
    [unmapped, mapped, 'uidMappings'],
    [mapped, unmapped, 'gidMappings'],
  ] as const) {
    const bundle = userBundle(box, 'echo never', (spec) => {
      spec.process.user = { uid: 1000, gid: 1000 };
      spec.linux.uidMappings = [...uids];
      spec.linux.gidMappings = [...gids];
    });
    const { code, stdout, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()], noStdin);
    t.not(code, 0);
    t.equal(stdout, '');
    says(
      t,
      stderr,
      new RegExp(`/linux/${place}: container ID 0 is not mapped, but the devpts of /mounts/\\d+ belongs to it`),
    );
  }
});

t.test('namespaces made with it belong to it', { skip }, async (t) => {
  const box = sandbox(t);
  // Setting the hostname takes CAP_SYS_ADMIN over the uts namespace, and changing devices CAP_NET_ADMIN over the
  // network's.
  const bundle = userBundle(box, 'hostname changed && hostname; ip link set lo down && echo down', (spec) => {
    for (const set of ['bounding', 'effective', 'permitted'] as const) {
      spec.process.capabilities = { ...spec.process.capabilities, [set]: ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'] };
    }
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
  t.equal(stdout, 'changed\ndown\n');
});

t.test('capabilities count inside only', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = userBundle(
    box,
    'chown 1 /etc/host 2>/dev/null || echo refused; chown 1 /etc/passwd && echo allowed',
    (spec) => {
      for (const set of ['bounding', 'effective', 'permitted'] as const) {
        spec.process.capabilities = { ...spec.process.capabilities, [set]: ['CAP_CHOWN'] };
      }
    },
  );
  bundle.addFile('etc/host', 'the host’s');
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
  t.equal(stdout, 'refused\nallowed\n');
});

t.test('the default devices work', { skip }, async (t) => {
  const box = sandbox(t);
  const script =
    'for d in null zero full random urandom tty; do test -c /dev/$d || echo no $d; done; echo x > /dev/null && head -c 2 /dev/zero | wc -c';
  const bundle = userBundle(box, script);
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
  t.equal(stdout.trim(), '2');
});

t.test('a bundle that only the host’s root can reach runs', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const bundle = userBundle(box, 'echo reached');
  chmodSync(box.directory, 0o700);
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
  t.equal(stdout, 'reached\n');
});

t.test('the user namespace of another container is joined, with namespaces of its own', { skip }, async (t) => {
  const box = sandbox(t);
  const holder = await startHolder(box);
  const script = 'for name in user net pid; do readlink /proc/self/ns/$name; done; cat /proc/self/uid_map';
  for (const joined of [['user'], ['user', 'network'], ['user', 'network', 'pid', 'ipc', 'uts']]) {
    const bundle = userBundle(box, script, (spec) => {
      join(spec, holder, joined);
    });
    const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
    const [user, net, pid, map = ''] = stdout.split('\n');
    t.equal(user, link(holder, 'user'), joined.join());
    t.equal(net === link(holder, 'net'), joined.includes('network'), joined.join());
    t.equal(pid === link(holder, 'pid'), joined.includes('pid'), joined.join());
    t.equal(map.trim().split(/\s+/).join(' '), `0 ${base} ${size}`);
  }
});

t.test('mappings with a joined user namespace must be its own', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const holder = await startHolder(box);
  const bundle = userBundle(box, 'echo never', (spec) => {
    join(spec, holder, ['user']);
    spec.linux.uidMappings = [{ containerID: 0, hostID: base + 1, size }];
  });
  const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()], noStdin);
  t.equal(code, 1);
  t.match(stderr, `/linux/uidMappings: the joined user namespace maps 0 ${base} ${size}, not 0 ${base + 1} ${size}`);
});

t.test('an ID that is not mapped is an error with its place', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const error = async (user: Spec['process']['user']) => {
    const bundle = userBundle(box, 'echo never', (spec) => {
      spec.process.user = user;
    });
    return (await box.runtime(['run', '--bundle', bundle.directory, box.newId()], noStdin)).stderr;
  };
  t.match(await error({ uid: size, gid: 0 }), `/process/user/uid: uid ${size} is not mapped`);
  t.match(await error({ uid: 0, gid: size }), `/process/user/gid: gid ${size} is not mapped`);
  t.match(
    await error({ uid: 0, gid: 0, additionalGids: [1, size] }),
    `/process/user/additionalGids/1: gid ${size} is not`,
  );
});

t.test('hooks run where the specification says, whatever the namespaces', { skip }, async (t) => {
  const box = sandbox(t);
  const holder = await startHolder(box);
  for (const joined of [[], ['network'], ['user', 'network', 'pid']]) {
    const hookDirectory = `${box.directory}/hooks-${joined.join('-')}`;
    mkdirSync(hookDirectory);
    chmodSync(hookDirectory, 0o777);
    const bundle = userBundle(box, 'true', (spec) => {
      join(spec, holder, joined);
      if (!joined.includes('user')) spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'user');
      if (!joined.includes('user')) {
        delete spec.linux.uidMappings;
        delete spec.linux.gidMappings;
      }
      const hook = (name: string) => [hookThatWrites(`${hookDirectory}/${name}`)];
      spec.hooks = {
        prestart: hook('prestart'),
        createRuntime: hook('createRuntime'),
        createContainer: hook('createContainer'),
        poststart: hook('poststart'),
        poststop: hook('poststop'),
      };
    });
    await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()], noStdin);
    const seen = (name: string) => JSON.parse(readFileSync(`${hookDirectory}/${name}`, 'utf8'));
    for (const name of ['prestart', 'createRuntime', 'poststart', 'poststop']) {
      t.equal(seen(name).user, readlinkSync('/proc/self/ns/user'), `${name} with ${joined}`);
      t.equal(seen(name).net, readlinkSync('/proc/self/ns/net'), `${name} with ${joined}`);
    }
    const inside = seen('createContainer');
    t.equal(inside.user === link(holder, 'user'), joined.includes('user'));
    t.equal(inside.net === link(holder, 'net'), joined.includes('network'));
    t.not(inside.mnt, readlinkSync('/proc/self/ns/mnt'));
    t.match(inside.state, { status: /creating|created/, bundle: bundle.directory });
    t.ok(seen('createRuntime').state.pid > 1, 'the pid is that of the process that stays');
  }
});

/** A bundle for a new user namespace, with a /tmp that everybody may write to. */
function userBundle(box: Sandbox, script: string, edit?: (spec: Spec) => void): Bundle {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    inUserNamespace(spec, base, size);
    edit?.(spec);
  });
  // mkdtemp makes it for root only.
  chmodSync(box.directory, 0o711);
  chownSync(`${bundle.rootfs}/etc/passwd`, base, base);
  return bundle;
}

async function startHolder(box: Sandbox): Promise<number> {
  const id = await box.createAndStart(userBundle(box, 'exec sleep 1000'));
  return (await box.waitForState(id, 'running')).pid;
}

const files: Record<string, string> = { network: 'net' };

function join(spec: Spec, pid: number, types: readonly string[]): void {
  for (const entry of spec.linux.namespaces) {
    if (types.includes(entry.type)) entry.path = `/proc/${pid}/ns/${files[entry.type] ?? entry.type}`;
  }
  if (types.includes('uts')) delete spec.hostname;
}

function link(pid: number, name: string): string {
  return readlinkSync(`/proc/${pid}/ns/${name}`);
}

/** Writes the namespaces it runs in, and the state it gets, as JSON. */
function hookThatWrites(path: string) {
  const script = `printf '{"user":"%s","net":"%s","mnt":"%s","state":%s}' $(readlink /proc/self/ns/user) $(readlink /proc/self/ns/net) $(readlink /proc/self/ns/mnt) "$(cat)" > ${path}`;
  return { path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'] };
}
