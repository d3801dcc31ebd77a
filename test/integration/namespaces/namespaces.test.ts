/** linux.namespaces and linux.timeOffsets, seen from inside the container and from the host. */
import { readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { isAlive, requires, type Sandbox, type Spec, sandbox, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true });
const skipTsrun = requires({ root: true, runtime: 'tsrun' });
// crun 1.8 leaves its cgroup behind if create fails, and after a second process in a joined pid namespace.
const skipCrun = requires({ root: true, runtime: ['tsrun', 'runc'] });

/** The spec's names and the files below /proc/PID/ns. */
const files = {
  pid: 'pid',
  network: 'net',
  ipc: 'ipc',
  uts: 'uts',
  mount: 'mnt',
  cgroup: 'cgroup',
  time: 'time',
} as const;
type Type = keyof typeof files;

/** Prints the links below /proc/self/ns, one a line, in the order of `files`. */
const listNamespaces = `for name in ${Object.values(files).join(' ')}; do readlink /proc/self/ns/$name; done`;

t.test('a new namespace is not the host’s', { skip }, async (t) => {
  const all = namespacesIn(await sandbox(t).outputOf(listNamespaces));
  for (const type of Object.keys(files) as Type[]) {
    if (type !== 'time') t.not(all[type], ofProcess('self', type), type);
  }
});

// runc 1.1 does not know time namespaces, and crun 1.8 crashes.
t.test('a new time namespace is not the host’s', { skip: skipTsrun }, async (t) => {
  const { time } = namespacesIn(await sandbox(t).outputOf(listNamespaces, addTime));
  t.not(time, ofProcess('self', 'time'));
});

t.test('a namespace that is not listed is the host’s', { skip }, async (t) => {
  const found = namespacesIn(
    await sandbox(t).outputOf(listNamespaces, (spec) => {
      spec.linux.namespaces = [{ type: 'mount' }];
      delete spec.hostname;
      // A new sysfs and mqueue need namespaces of the container's own.
      spec.mounts = spec.mounts.filter(
        ({ destination }) => !['/sys', '/sys/fs/cgroup', '/dev/mqueue'].includes(destination),
      );
    }),
  );
  for (const type of Object.keys(files) as Type[]) {
    if (type !== 'mount') t.equal(found[type], ofProcess('self', type), type);
  }
});

for (const type of ['pid', 'network', 'ipc', 'uts', 'cgroup', 'time'] as const) {
  t.test(
    `the ${type} namespace of another container is joined`,
    { skip: type === 'time' ? skipTsrun : skip },
    async (t) => {
      const box = sandbox(t);
      const holder = await startHolder(box, type === 'time' ? addTime : undefined);
      const found = namespacesIn(await box.outputOf(listNamespaces, (spec) => joinAll(spec, holder, [type])));
      t.equal(found[type], ofProcess(holder, type));
      t.not(found.mount, ofProcess(holder, 'mount'));
    },
  );
}

t.test('all of a pod’s namespaces at once', { skip }, async (t) => {
  const box = sandbox(t);
  const holder = await startHolder(box);
  const types = ['pid', 'network', 'ipc', 'uts'] as const;
  const output = await box.outputOf(`${listNamespaces}; ls -d /proc/1`, (spec) => joinAll(spec, holder, types));
  const found = namespacesIn(output);
  for (const type of types) t.equal(found[type], ofProcess(holder, type), type);
  t.match(output, /\/proc\/1$/m, 'the pod’s first process is seen');
});

t.test(
  'state and the pid file have the pid of the process in the joined pid namespace',
  { skip: skipCrun },
  async (t) => {
    const box = sandbox(t);
    const holder = await startHolder(box);
    const bundle = box.bundle((spec) => {
      sleeping(spec);
      joinAll(spec, holder, ['pid']);
    });
    const pidFile = `${box.directory}/pid`;
    const id = await box.create(bundle, ['--pid-file', pidFile]);
    await box.runtimeOk(['start', id]);
    const { pid } = await box.waitForState(id, 'running');
    t.equal(readFileSync(pidFile, 'utf8'), String(pid));
    t.equal(ofProcess(pid, 'pid'), ofProcess(holder, 'pid'));
    await waitFor('the program to run', () =>
      readlinkSync(`/proc/${pid}/exe`).includes('busybox') ? true : undefined,
    );
    await box.runtimeOk(['kill', id, 'KILL']);
    await box.waitForState(id, 'stopped');
    t.ok(isAlive(holder), 'the namespace’s own first process stays');
  },
);

t.test('a mount namespace is joined with its mounts', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  // The script holds the namespace; it prints once it has made the mount.
  const script = `mount -t tmpfs there ${bundle.rootfs}/tmp && : > ${bundle.rootfs}/tmp/marker && echo ready && exec sleep 1000`;
  const holder = box.startProgram('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script]);
  await waitFor('the holder’s mount', () => (holder.output.stdout.includes('ready') ? true : undefined));
  bundle.edit((spec) => {
    spec.process.args = ['/bin/ls', '/tmp'];
    joinAll(spec, holder.pid, ['mount']);
  });
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(stdout, 'marker\n');
});

t.test('a path of another type of namespace is an error', { skip: skipCrun }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], (spec) => {
    joinAll(spec, process.pid, ['network']);
    for (const entry of spec.linux.namespaces) entry.path = entry.path?.replace('net', 'uts');
  });
  t.equal(code, 1);
  t.match(stderr, /namespace/);
});

t.test('errors of a path name the property, what the path is, and what to do', { skip: skipTsrun }, async (t) => {
  const box = sandbox(t);
  const error = async (path: string) => {
    const edit = (spec: Spec) => {
      spec.linux.namespaces = [
        { type: 'network', path },
        ...spec.linux.namespaces.filter(({ type }) => type !== 'network'),
      ];
    };
    return (await box.runContainer(['/bin/true'], edit)).stderr;
  };
  const uts = '/proc/self/ns/uts';
  t.match(await error(uts), '/linux/namespaces/0/path: /proc/self/ns/uts is a uts namespace, not a network namespace');
  t.match(await error('/etc/passwd'), '/linux/namespaces/0/path: /etc/passwd is not a namespace');
  t.match(await error('/run/netns/none'), '/linux/namespaces/0/path: cannot open /run/netns/none: ENOENT');
});

t.test(
  'a property that would change the host through a joined namespace is refused',
  { skip: skipTsrun },
  async (t) => {
    const own = (type: Type) => ({ type, path: `/proc/self/ns/${files[type]}` });
    const error = async (type: Type, edit: (spec: Spec) => void) => {
      const { stderr } = await sandbox(t).runContainer(['/bin/true'], (spec) => {
        delete spec.hostname;
        spec.linux.namespaces = [own(type), ...spec.linux.namespaces.filter((entry) => entry.type !== type)];
        edit(spec);
      });
      return stderr;
    };
    const hostname = await error('uts', (spec) => {
      spec.hostname = 'changed';
    });
    t.match(hostname, '/hostname: would change the host: /linux/namespaces/0/path');
    t.not(readFileSync('/proc/sys/kernel/hostname', 'utf8'), 'changed\n');
    const sysctl = await error('ipc', (spec) => {
      spec.linux.sysctl = { 'kernel.msgmax': '1' };
    });
    t.match(sysctl, '/linux/sysctl/kernel.msgmax: would change the host');
  },
);

t.test('a time namespace counts from its offsets', { skip: skipTsrun }, async (t) => {
  const day = 24 * 3600;
  const output = await sandbox(t).outputOf('cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets', (spec) => {
    addTime(spec);
    spec.linux.timeOffsets = { boottime: { secs: 1000 * day, nanosecs: 7 }, monotonic: { secs: 10 * day } };
  });
  const [uptime = '', ...offsets] = output.trim().split('\n');
  t.ok(Number(uptime) >= 1000 * day, `${uptime} s of uptime`);
  t.same(
    offsets.map((line) => line.split(/\s+/).join(' ')),
    [`monotonic ${10 * day} 0`, `boottime ${1000 * day} 7`],
  );
});

t.test('an offset that would put a clock before its start is an error', { skip: skipTsrun }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer(['/bin/true'], (spec) => {
    addTime(spec);
    spec.linux.timeOffsets = { boottime: { secs: -1_000_000_000 } };
  });
  t.equal(code, 1);
  t.match(stderr, /\/linux\/timeOffsets: write-time-offsets.*ERANGE/);
});

t.test('without a pid namespace of its own, delete --force ends every process', { skip: skipCrun }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
    spec.process.args = ['/bin/sh', '-c', 'sleep 1000 & echo $! > /child; wait'];
  });
  const id = box.newId();
  const running = box.startRuntime(['run', '--bundle', bundle.directory, id]);
  const pidText = await waitFor('the child to be started', () => readPid(`${bundle.rootfs}/child`));
  await box.runtimeOk(['delete', '--force', id]);
  await waitFor('the child to end', () => (isAlive(Number(pidText)) ? undefined : true));
  t.not((await running.done).code, 0);
});

// runc 1.1 and crun say that a container whose init has ended does not run.
t.test(
  'without a pid namespace of its own, SIGKILL reaches processes that init has left behind',
  { skip: skipTsrun },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
      spec.process.args = ['/bin/sh', '-c', 'sleep 1000 & echo $! > /child'];
    });
    const id = await box.createAndStart(bundle);
    await box.waitForState(id, 'stopped');
    const pidText = await waitFor('the child to be started', () => readPid(`${bundle.rootfs}/child`));
    t.ok(isAlive(Number(pidText)));
    await box.runtimeOk(['kill', id, 'KILL']);
    await waitFor('the child to end', () => (isAlive(Number(pidText)) ? undefined : true));
    await box.runtimeOk(['delete', id]);
  },
);

function readPid(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

function addTime(spec: Spec): void {
  spec.linux.namespaces.push({ type: 'time' });
}

function sleeping(spec: Spec): void {
  spec.process.args = ['/bin/sleep', '1000'];
}

/** Starts a container; returns the pid of its init process. */
async function startHolder(box: Sandbox, edit?: (spec: Spec) => void): Promise<number> {
  const id = await box.create(
    box.bundle((spec) => {
      sleeping(spec);
      edit?.(spec);
    }),
  );
  await box.runtimeOk(['start', id]);
  return (await box.waitForState(id, 'running')).pid;
}

/** Replaces the entries of these types by paths of the process's namespaces. */
function joinAll(spec: Spec, pid: number, types: readonly Type[]): void {
  const others = spec.linux.namespaces.filter(({ type }) => !(types as readonly string[]).includes(type));
  spec.linux.namespaces = [...others, ...types.map((type) => ({ type, path: `/proc/${pid}/ns/${files[type]}` }))];
  // Only the owner of the namespace may set the hostname.
  if (types.includes('uts')) delete spec.hostname;
}

function ofProcess(pid: number | 'self', type: Type): string {
  return readlinkSync(`/proc/${pid}/ns/${files[type]}`);
}

/** Parses the output of `listNamespaces`. */
function namespacesIn(output: string): Record<Type, string> {
  const links = output.split('\n');
  return Object.fromEntries((Object.keys(files) as Type[]).map((type, i) => [type, links[i] ?? ''])) as Record<
    Type,
    string
  >;
}
