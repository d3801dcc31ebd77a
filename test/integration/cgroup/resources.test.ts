/**
 * linux.resources: each limit is read back from its file inside the container, and takes effect there. The VM tests
 * what the machine's cgroup2 lacks.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  cgroup2Mount,
  isExempt,
  type Needs,
  requires,
  type Spec,
  sandbox,
  says,
  waitFor,
} from '../../harness/index.ts';

type Resources = NonNullable<Spec['linux']['resources']>;

const needs = (more: Needs = {}) => requires({ root: true, cgroup2: true, ...more });

/** A command that prints files of the container's own cgroup. */
const show = (...files: string[]) => files.map((file) => `cat /sys/fs/cgroup/${file}`).join(' && ');
const set = (resources: Resources) => (spec: Spec) => {
  spec.linux.resources = { ...spec.linux.resources, ...resources };
};

t.test('memory: limit, swap and reservation', { skip: needs({ controllers: ['memory'] }) }, async (t) => {
  const output = await sandbox(t).outputOf(
    show('memory.max', 'memory.swap.max', 'memory.low'),
    set({ memory: { limit: 67_108_864, swap: 100_663_296, reservation: 33_554_432 } }),
  );
  t.equal(output, '67108864\n33554432\n33554432\n');
});

t.test('a program that exceeds the memory limit is killed', { skip: needs({ controllers: ['memory'] }) }, async (t) => {
  const { code } = await sandbox(t).runContainer(
    ['/bin/busybox', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=64M', 'count=1'],
    set({ memory: { limit: 16_777_216, swap: 16_777_216 } }),
  );
  t.equal(code, 137);
});

t.test('memory.oom.group kills the whole container', { skip: needs({ controllers: ['memory'] }) }, async (t) => {
  const { code } = await sandbox(t).runContainer(
    'dd if=/dev/zero of=/dev/null bs=64M count=1; echo survived',
    set({ memory: { limit: 16_777_216, swap: 16_777_216 }, unified: { 'memory.oom.group': '1' } }),
  );
  t.equal(code, 137);
});

const ownInit = { runc: 'its init takes 2 MiB' };

t.test(
  'init takes less than 200 KiB of the container’s memory',
  { skip: needs({ controllers: ['memory'], differs: ownInit }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle();
    await box.create(bundle);
    const counted = () => {
      const lines = readFileSync(join(box.cgroupOf(bundle), 'memory.stat'), 'utf8').split('\n');
      const of = (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1]);
      return of('anon') + of('file') + of('kernel');
    };
    // memory.current grows by 64 pages at a time; the statistics are exact, but come a little later.
    const bytes = await waitFor('the statistics', () => counted() || undefined);
    t.ok(bytes <= 200 * 1024, `${bytes} bytes`);
  },
);

t.test('cpu: weight, bandwidth and burst', { skip: needs({ controllers: ['cpu'] }) }, async (t) => {
  const output = await sandbox(t).outputOf(
    show('cpu.weight', 'cpu.max', 'cpu.max.burst'),
    set({ cpu: { shares: 2048, quota: 20_000, period: 50_000, burst: 10_000 } }),
  );
  t.match(output, /^(174|79)\n20000 50000\n10000\n$/);
});

t.test('cpu: the quota throttles', { skip: needs({ controllers: ['cpu'] }) }, async (t) => {
  const output = await sandbox(t).outputOf(
    'until grep "nr_throttled [1-9]" /sys/fs/cgroup/cpu.stat; do :; done',
    set({ cpu: { quota: 5000, period: 100_000 } }),
  );
  t.match(output, /nr_throttled [1-9]/);
});

t.test('cpu.idle', { skip: needs({ controllers: ['cpu'] }) }, async (t) => {
  t.equal(await sandbox(t).outputOf(show('cpu.idle'), set({ cpu: { idle: 1 } })), '1\n');
});

t.test('cpuset', { skip: needs({ controllers: ['cpuset'] }) }, async (t) => {
  const output = await sandbox(t).outputOf(
    `${show('cpuset.cpus', 'cpuset.mems')} && grep Cpus_allowed_list /proc/self/status`,
    set({ cpu: { cpus: '0', mems: '0' } }),
  );
  t.equal(output, '0\n0\nCpus_allowed_list:\t0\n');
});

t.test('pids: a fork bomb stops', { skip: needs({ controllers: ['pids'] }) }, async (t) => {
  const output = await sandbox(t).outputOf(
    'cat /sys/fs/cgroup/pids.max; (for i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done) 2>&1; true',
    set({ pids: { limit: 5 } }),
  );
  t.match(output, /^5\n(.*\n)*.*(fork|Resource temporarily unavailable)/);
});

const noTasks = { crun: 'takes 0 for no limit', runc: 'takes 0 for no limit' };

t.test('pids: 0 allows no process', { skip: needs({ controllers: ['pids'], differs: noTasks }) }, async (t) => {
  const script = 'read max < /sys/fs/cgroup/pids.max; echo $max; /bin/true; echo not reached';
  const { stdout, stderr } = await sandbox(t).runContainer(script, set({ pids: { limit: 0 } }));
  t.match(stdout, /^0\n/);
  t.match(stderr, /fork/);
});

/** `major:minor` of a disk of this machine. */
function disk(): string | undefined {
  const names = existsSync('/sys/block') ? readdirSync('/sys/block') : [];
  const name = names.find((block) => !/^(loop|ram|zram)/.test(block));
  return name === undefined ? undefined : readFileSync(`/sys/block/${name}/dev`, 'utf8').trim();
}

t.test(
  'blockIO: limits of a disk',
  { skip: needs({ controllers: ['io'] }) || (!disk() && 'needs a disk') },
  async (t) => {
    const [major = 0, minor = 0] = (disk() ?? '').split(':').map(Number);
    const output = await sandbox(t).outputOf(
      show('io.max'),
      set({
        blockIO: {
          throttleReadBpsDevice: [{ major, minor, rate: 1_048_576 }],
          throttleWriteIOPSDevice: [{ major, minor, rate: 100 }],
        },
      }),
    );
    t.equal(output, `${disk()} rbps=1048576 wbps=max riops=max wiops=100\n`);
  },
);

const leaves = { 'crun with cgroupfs': 'leaves the cgroup' };

t.test('blockIO: a missing disk', { skip: needs({ controllers: ['io'], differs: leaves }) }, async (t) => {
  const limit = set({ blockIO: { throttleReadBpsDevice: [{ major: 4000, minor: 7, rate: 1 }] } });
  const { code, stderr } = await sandbox(t).runContainer('true', limit);
  t.equal(code, 1);
  says(t, stderr, /\/linux\/resources\/blockIO\/throttleReadBpsDevice\/0: write io\.max .*ENODEV.*no disk with this/);
});

const usesOnly = { crun: 'limits the use of huge pages, not their reservation' };

t.test(
  'hugepages: reservation and use',
  { skip: needs({ controllers: ['hugetlb'], differs: usesOnly }) },
  async (t) => {
    const output = await sandbox(t).outputOf(
      show('hugetlb.2MB.rsvd.max', 'hugetlb.2MB.max'),
      set({ hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }] }),
    );
    t.equal(output, '4194304\n4194304\n');
  },
);

t.test(
  'hugepages of a size that the machine does not have',
  { skip: needs({ controllers: ['hugetlb'], differs: leaves }) },
  async (t) => {
    const { code, stderr } = await sandbox(t).runContainer(
      'true',
      set({ hugepageLimits: [{ pageSize: '3MB', limit: 1 }] }),
    );
    t.equal(code, 1);
    says(t, stderr, /\/linux\/resources\/hugepageLimits\/0: write hugetlb\.3MB\.rsvd\.max/);
  },
);

t.test('unified: a file of every cgroup, and one of a controller', { skip: needs() }, async (t) => {
  const output = await sandbox(t).outputOf(show('cgroup.max.depth'), set({ unified: { 'cgroup.max.depth': '3' } }));
  t.equal(output, '3\n');
});

t.test('unified memory.high', { skip: needs({ controllers: ['memory'] }) }, async (t) => {
  const output = await sandbox(t).outputOf(show('memory.high'), set({ unified: { 'memory.high': '67108864' } }));
  t.equal(output, '67108864\n');
});

t.test('a controller that the hierarchy lacks is named', { skip: needs({ differs: leaves }) }, async (t) => {
  const { code, stderr } = await sandbox(t).runContainer('true', set({ unified: { 'nonesuch.max': '1' } }));
  t.equal(code, 1);
  says(t, stderr, /\/linux\/resources\/unified\/nonesuch\.max: controller nonesuch is missing from cgroup v2/);
});

t.test(
  'a value that the kernel refuses is reported with its file, and nothing stays',
  { skip: needs({ differs: leaves }) },
  async (t) => {
    const box = sandbox(t);
    const { code, stderr } = await box.runContainer('true', set({ unified: { 'cgroup.max.depth': 'deep' } }));
    t.equal(code, 1);
    says(t, stderr, /\/linux\/resources\/unified\/cgroup\.max\.depth: write cgroup\.max\.depth \\?"deep\\?": EINVAL/);
    t.notOk(existsSync(join(cgroup2Mount() ?? '', box.cgroup, 'bundle-1')));
  },
);

const shares = needs({ cgroupDriver: 'cgroupfs', differs: { crun: 'enters it all the same' } });

t.test('a cgroup with other processes is refused', { skip: shares }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
  });
  await box.create(bundle);
  const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  says(t, stderr, /container's cgroup is not empty: 1 process\(es\) found/);
  says(t, stderr, /\(at \S+config\.json:\d+:\d+: \/linux\/cgroupsPath; hint: /);
});

const removes = { runc: 'removes it, though it has not made it' };

t.test(
  'a cgroup that delegates controllers is refused, and stays',
  { skip: needs({ cgroupDriver: 'cgroupfs' }) },
  async (t) => {
    const box = sandbox(t);
    // As `podman build --cgroup-parent` names it for the containers of its RUN lines.
    const bundle = box.bundle((spec) => {
      spec.linux.cgroupsPath = box.cgroup;
      delete spec.linux.resources;
    });
    const parent = join(cgroup2Mount() ?? '', box.cgroup);
    mkdirSync(parent);
    // A controller that forbids processes beside child cgroups; cpu and pids do not, as they can be threaded.
    const [controller] = readFileSync(join(parent, 'cgroup.controllers'), 'utf8')
      .split(/\s/)
      .filter((name) => ['memory', 'hugetlb', 'io'].includes(name));
    writeFileSync(join(parent, 'cgroup.subtree_control'), `+${controller}`);
    const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    t.equal(code, 1);
    says(
      t,
      stderr,
      `/linux/cgroupsPath: cannot enter the cgroup ${parent}: EBUSY: it passes controllers (${controller}) on to`,
    );
    says(t, stderr, 'choose a cgroup below it');
    if (!isExempt(t, 'it stays', removes)) t.ok(existsSync(parent));
  },
);

const waits = needs({ cgroupDriver: 'cgroupfs', differs: { crun: 'waits there until it is thawed' } });

t.test('a frozen cgroup is refused', { skip: waits }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const cgroup = join(cgroup2Mount() ?? '', bundle.spec.linux.cgroupsPath ?? '');
  mkdirSync(cgroup, { recursive: true });
  writeFileSync(join(cgroup, 'cgroup.freeze'), '1');
  const { stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  says(t, stderr, /container's cgroup unexpectedly frozen: \/.*config\.json:\d+:\d+: \/linux\/cgroupsPath/);
  t.ok(existsSync(cgroup), 'what was there before create stays');
  rmdirSync(cgroup);
});

const threads = { crun: 'runs it there', runc: 'runs it there' };
const refusesThreaded = needs({ cgroupDriver: 'cgroupfs', differs: threads });

t.test('below a threaded cgroup there can be no container', { skip: refusesThreaded }, async (t) => {
  const box = sandbox(t);
  const parent = join(cgroup2Mount() ?? '', box.cgroup);
  const bundle = box.bundle((spec) => {
    spec.linux.cgroupsPath = `${box.cgroup}/threaded/c`;
  });
  mkdirSync(join(parent, 'threaded'), { recursive: true });
  writeFileSync(join(parent, 'threaded', 'cgroup.type'), 'threaded');
  const { stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  says(
    t,
    stderr,
    /cannot enter the cgroup .*: it is domain invalid, .* threaded \(at \S+:\d+:\d+: \/linux\/cgroupsPath/,
  );
  t.notOk(existsSync(join(parent, 'threaded', 'c')));
  rmdirSync(join(parent, 'threaded'));
});

// runtime.md, Delete: "resources … not created by this container, MUST NOT be deleted".
const mustStay = needs({ cgroupDriver: 'cgroupfs', differs: { ...removes, crun: 'removes it' } });

t.test('a cgroup that existed before create stays', { skip: mustStay }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'mkdir /sys/fs/cgroup/below && sleep 1000'];
    for (const mount of spec.mounts) if (mount.type === 'cgroup') mount.options = [];
  });
  const cgroup = box.cgroupOf(bundle);
  mkdirSync(cgroup, { recursive: true });
  const { ino } = statSync(cgroup);
  const id = await box.createAndStart(bundle);
  await waitFor('its own cgroup', () => existsSync(join(cgroup, 'below')) || undefined);
  await box.runtimeOk(['delete', '--force', id]);
  t.equal(statSync(cgroup).ino, ino);
  t.equal(readFileSync(join(cgroup, 'cgroup.procs'), 'utf8'), '', 'without processes');
  t.notOk(existsSync(join(cgroup, 'below')), 'what the container made is removed');
  rmdirSync(cgroup);
});

t.test('a cgroup that was made threaded can be removed', { skip: needs({ cgroupDriver: 'cgroupfs' }) }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
    // Directly below the root, which may have threaded children whatever controllers it delegates.
    spec.linux.cgroupsPath = `${box.cgroup}-threaded`;
  });
  const id = await box.createAndStart(bundle);
  await box.waitForState(id, 'stopped');
  const type = join(box.cgroupOf(bundle), 'cgroup.type');
  await waitFor('the cgroup to be empty', () => writes(type, 'threaded') || undefined);
  t.equal(readFileSync(type, 'utf8'), 'threaded\n');
  await box.runtimeOk(['delete', id]);
  t.notOk(existsSync(box.cgroupOf(bundle)));
});

function writes(path: string, text: string): boolean {
  try {
    writeFileSync(path, text);
    return true;
  } catch (error) {
    // As long as it has a process, even a dead one.
    if ((error as NodeJS.ErrnoException).code === 'ENOTSUP') return false;
    throw error;
  }
}

/** The specification demands this in all cases. */
const gives = {
  'runc with cgroupfs': 'gives it away with systemd only',
  crun: 'gives it away in a user namespace only',
};

t.test(
  'with a writable cgroup mount the user owns the cgroup, not its limits',
  { skip: needs({ differs: gives }) },
  async (t) => {
    const output = await sandbox(t).outputOf(
      'cd /sys/fs/cgroup && stat -c "%n %u" . cgroup.procs cgroup.subtree_control cgroup.max.depth && mkdir sub && echo made && rmdir sub',
      (spec) => {
        spec.process.user = { uid: 1234, gid: 0 };
        for (const mount of spec.mounts) {
          if (mount.type === 'cgroup')
            mount.options = mount.options?.map((option) => (option === 'ro' ? 'rw' : option)) ?? [];
        }
      },
    );
    t.equal(output, '. 1234\ncgroup.procs 1234\ncgroup.subtree_control 1234\ncgroup.max.depth 0\nmade\n');
  },
);

t.test('delete removes the cgroups that the container made below its own', { skip: needs() }, async (t) => {
  const box = sandbox(t);
  await box.outputOf(
    'mkdir -p /sys/fs/cgroup/a/b && (sleep 1000 & echo $! > /sys/fs/cgroup/a/b/cgroup.procs)',
    (spec) => {
      for (const mount of spec.mounts) {
        if (mount.type === 'cgroup') mount.options = mount.options?.filter((option) => option !== 'ro') ?? [];
      }
    },
  );
  t.notOk(existsSync(join(cgroup2Mount() ?? '', box.cgroup, 'bundle-1')));
});
