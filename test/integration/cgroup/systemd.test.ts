/** --systemd-cgroup: the container's cgroup is a scope that systemd makes, with limits that it knows. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { requires, run, runtimeName, type Sandbox, type Spec, sandbox, says, waitFor } from '../../harness/index.ts';
import { isAlive } from '../../harness/leaks.ts';

const needs = requires({
  root: true,
  cgroup2: true,
  files: ['/run/systemd/system'],
  controllers: ['memory', 'pids', 'cpu'],
});
const tsrunNeeds = requires({ root: true, runtime: 'tsrun', files: ['/run/systemd/system'] });

interface Scope {
  box: Sandbox;
  id: string;
  unit: string;
  /** Absolute path. */
  cgroup: string;
  file: (name: string) => string;
  property: (name: string) => Promise<string>;
}

async function systemctl(...args: string[]): Promise<string> {
  return (await run('systemctl', args)).stdout.trim();
}

/** Starts a container in a scope. */
async function scope(t: Test, edit?: (spec: Spec) => void): Promise<Scope> {
  const box = sandbox(t);
  const name = box.newId();
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
    spec.linux.cgroupsPath = `machine.slice:test:${name}`;
    edit?.(spec);
  });
  const id = await box.create(bundle, [], ['--systemd-cgroup']);
  await box.runtimeOk(['--systemd-cgroup', 'start', id]);
  const unit = `test-${name}.scope`;
  const cgroup = `/sys/fs/cgroup/machine.slice/${unit}`;
  return {
    box,
    id,
    unit,
    cgroup,
    file: (file) => readFileSync(join(cgroup, file), 'utf8').trim(),
    property: (property) => systemctl('show', '--value', '--property', property, unit),
  };
}

const limits = (spec: Spec) => {
  spec.linux.resources = {
    ...spec.linux.resources,
    memory: { limit: 67_108_864, swap: 100_663_296 },
    cpu: { quota: 25_000, period: 50_000 },
    pids: { limit: 33 },
  };
};

const swap = { crun: 'tells systemd memory and swap together as MemorySwapMax, the limit of swap alone' };

t.test('limits are in the files and in the unit', { skip: needs || requires({ differs: swap }) }, async (t) => {
  const { file, property } = await scope(t, limits);
  t.strictSame(['memory.max', 'memory.swap.max', 'cpu.max', 'pids.max'].map(file), [
    '67108864',
    '33554432',
    '25000 50000',
    '33',
  ]);
  t.equal(await property('Slice'), 'machine.slice');
  t.equal(await property('Delegate'), 'yes');
  t.equal(await property('MemoryMax'), '67108864');
  t.equal(await property('MemorySwapMax'), '33554432');
  t.equal(await property('CPUQuotaPerSecUSec'), '500ms');
  t.equal(await property('TasksMax'), '33');
});

t.test('update changes both files and unit', { skip: needs }, async (t) => {
  const { box, id, file, property } = await scope(t, limits);
  await box.runtimeOk(['--systemd-cgroup', 'update', '--pids-limit', '44', '--memory', '50331648', id]);
  t.equal(file('pids.max'), '44');
  t.equal(await property('TasksMax'), '44');
  t.equal(file('memory.max'), '50331648');
  t.equal(await property('MemoryMax'), '50331648');
});

const rounds = {
  crun: 'lets systemd round what is not named',
  runc: 'lets systemd round what is not named',
};

t.test('an update changes only what it names', { skip: needs || requires({ differs: rounds }) }, async (t) => {
  const { box, id, cgroup, file, property } = await scope(t, (spec) => {
    spec.linux.resources = {
      cpu: { quota: 123_456, period: 100_000, shares: 512 },
      memory: { limit: 67_108_864 },
      pids: { limit: 33 },
    };
  });
  const update = (input: string) => box.runtime(['--systemd-cgroup', 'update', '-r', '-', id], { input });
  // A limit that neither the config nor systemd knows.
  writeFileSync(join(cgroup, 'memory.high'), '50331648');
  const files = () => ['cpu.max', 'cpu.weight', 'memory.max', 'memory.high'].map(file);
  const before = files();
  t.strictSame(before, ['123456 100000', '59', '67108864', '50331648']);
  t.match(await update('{"pids":{"limit":44}}'), { code: 0 });
  t.strictSame([file('pids.max'), await property('TasksMax')], ['44', '44']);
  t.strictSame(files(), before);
  const refused = '{"pids":{"limit":55},"cpu":{"quota":5000},"unified":{"cgroup.max.depth":"many"}}';
  t.match(await update(refused), { code: 1, stderr: /cgroup\.max\.depth: write/ });
  t.strictSame([file('pids.max'), await property('TasksMax')], ['44', '44'], 'a refused one not even that');
  t.strictSame(files(), before);
});

const percents = { crun: 'gives systemd whole percents', runc: 'gives systemd whole percents' };

t.test(
  'a daemon-reload keeps a quota to 100 us a second',
  { skip: needs || requires({ differs: percents }) },
  async (t) => {
    const version = Number(/\d+/.exec(await systemctl('show', '--value', '--property', 'Version'))?.[0]);
    if (version < 257) return t.pass('an older systemd keeps whole percents', { skip: true });
    for (const [asked, after] of [
      [[25_000, 50_000], '25000 50000'],
      [[1500, 1_000_000], '1500 1000000'],
      [[5001, 100_000], '5010 100000'],
      [[123_456, 100_000], '123460 100000'],
    ] as const) {
      const [quota, period] = asked;
      const { file } = await scope(t, (spec) => {
        spec.linux.resources = { cpu: { quota, period } };
      });
      t.equal(file('cpu.max'), asked.join(' '));
      await systemctl('daemon-reload');
      t.equal(file('cpu.max'), after);
    }
  },
);

t.test('the period stays if the quota is removed', { skip: needs || requires({ differs: rounds }) }, async (t) => {
  const { box, id, file } = await scope(t, limits);
  await box.runtimeOk(['--systemd-cgroup', 'update', '--cpu-quota', '-1', id]);
  t.equal(file('cpu.max'), 'max 50000');
});

t.test('a daemon-reload keeps limits and devices', { skip: needs }, async (t) => {
  const box = sandbox(t);
  const name = box.newId();
  const bundle = box.bundle((spec) => {
    limits(spec);
    spec.linux.cgroupsPath = `:test:${name}`;
    spec.process.noNewPrivileges = false;
    for (const set of ['bounding', 'effective', 'permitted'] as const)
      spec.process.capabilities?.[set]?.push('CAP_MKNOD');
    spec.linux.resources = {
      ...spec.linux.resources,
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 11, access: 'w' },
      ],
    };
    const round = '(: > /dev/k) && echo kmsg; (: > /dev/m) 2>/dev/null && echo memory; echo round';
    spec.process.args = ['sh', '-c', `mknod /dev/k c 1 11; mknod /dev/m c 1 1; while read _; do ${round}; done < /go`];
  });
  t.equal((await run('mkfifo', [`${bundle.rootfs}/go`])).code, 0);
  const id = box.newId();
  const { output } = box.startRuntime(['--systemd-cgroup', 'run', '--bundle', bundle.directory, id]);
  const { open } = await import('node:fs/promises');
  const go = await open(`${bundle.rootfs}/go`, 'w');
  const round = async (count: number) => {
    await go.write('\n');
    await waitFor(`round ${count}`, () => (output.stdout.split('round\n').length > count ? true : undefined));
  };
  await round(1);
  await systemctl('daemon-reload');
  await round(2);
  t.equal(output.stdout, 'kmsg\nround\nkmsg\nround\n');
  t.equal(readFileSync(`/sys/fs/cgroup/system.slice/test-${name}.scope/memory.max`, 'utf8'), '67108864\n');
  // After that the filter can still be replaced, and the new one survives the next reload. Other runtimes have no
  // --device.
  const rules = runtimeName === 'tsrun' ? ['deny c 1:11 w', 'allow c 1:11 w'] : [];
  for (const [index, rule] of rules.entries()) {
    await box.runtimeOk(['update', '--device', rule, id]);
    await round(3 + 2 * index);
    await systemctl('daemon-reload');
    await round(4 + 2 * index);
  }
  const later = rules.length > 0 ? 'round\nround\nkmsg\nround\nkmsg\nround\n' : '';
  t.equal(output.stdout, `kmsg\nround\nkmsg\nround\n${later}`);
  await go.close();
});

type Resources = NonNullable<Spec['linux']['resources']>;

/** The scope's files before and after a daemon-reload, without counters. */
async function filesAroundReload(t: Test, resources: Resources) {
  const { file, cgroup } = await scope(t, (spec) => {
    spec.linux.resources = { ...spec.linux.resources, ...resources };
  });
  const counts = /stat|current|peak|events|pressure|procs|threads|memory.reclaim|cgroup.kill/;
  const names = readdirSync(cgroup).filter((name) => name.includes('.') && !counts.test(name));
  const files = () => Object.fromEntries(names.map((name) => [name, file(name)]));
  const before = files();
  await systemctl('daemon-reload');
  return { before, after: files() };
}

t.test(
  'a daemon-reload changes no file of the scope',
  {
    skip: requires({
      files: ['/run/systemd/system'],
      controllers: ['memory', 'pids', 'cpu', 'io'],
      differs: { crun: 'refuses 57M', runc: 'refuses 57M' },
    }),
  },
  async (t) => {
    const { before, after } = await filesAroundReload(t, {
      memory: { limit: 67_108_864, swap: 100_663_296, reservation: 8_388_608 },
      cpu: { shares: 512, quota: 25_000, period: 50_000, burst: 1000 },
      pids: { limit: 33 },
      unified: { 'memory.high': '57M', 'memory.min': '4194304', 'memory.oom.group': '1' },
    });
    t.match(before, {
      'memory.oom.group': '1',
      'memory.high': '59768832',
      'memory.low': '8388608',
      'cpu.max.burst': '1000',
      'pids.max': '33',
    });
    t.strictSame(after, before);
  },
);

t.test(
  'a daemon-reload keeps CPUs, huge pages and disks’ weights under BFQ',
  {
    // Only the VM, which has this user, may load modules.
    skip: requires({
      files: ['/run/systemd/system', '/home/user'],
      controllers: ['cpuset', 'hugetlb', 'io'],
      differs: {
        crun: 'puts the container into a cgroup below its scope',
        runc: 'does not tell systemd of the last two, which a reload takes away',
      },
    }),
  },
  async (t) => {
    t.equal((await run('modprobe', ['bfq'])).code, 0);
    const { before, after } = await filesAroundReload(t, {
      cpu: { cpus: '0', mems: '0' },
      hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }],
      blockIO: { weight: 500 },
      unified: { 'memory.zswap.writeback': '0', 'memory.swap.high': '33554432' },
    });
    t.match(before, { 'cpuset.cpus': '0', 'io.bfq.weight': 'default 500', 'memory.zswap.writeback': '0' });
    t.strictSame(after, before);
  },
);

t.test('memory.oom.group ends the whole scope, and state and wait report it', { skip: needs }, async (t) => {
  const { box, id, unit } = await scope(t, (spec) => {
    spec.process.args = ['sh', '-c', 'tail /dev/zero; echo survived; sleep 1000'];
    spec.linux.resources = {
      ...spec.linux.resources,
      memory: { limit: 16_777_216, swap: 16_777_216 },
      unified: { 'memory.oom.group': '1' },
    };
  });
  const state = await box.waitForState(id, 'stopped');
  if (runtimeName === 'tsrun') t.match(state, { oomKilled: true });
  t.equal(box.outputOfCreated(id).stdout, '');
  await box.runtimeOk(['--systemd-cgroup', 'delete', id]);
  t.equal(await systemctl('list-units', '--all', '--plain', '--no-legend', unit), '', 'and no failed unit stays');
});

t.test('annotations set properties of the unit', { skip: needs }, async (t) => {
  const { property } = await scope(t, (spec) => {
    spec.annotations = {
      'org.systemd.property.TimeoutStopUSec': 'uint64 7000000',
      'org.systemd.property.CollectMode': "'inactive-or-failed'",
    };
  });
  t.equal(await property('TimeoutStopUSec'), '7s');
  t.equal(await property('CollectMode'), 'inactive-or-failed');
});

t.test('the init process sees its scope as the root of its cgroup namespace', { skip: needs }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['cat', '/proc/self/cgroup'];
    spec.linux.cgroupsPath = `:test:${box.newId()}`;
  });
  const { stdout } = await box.runtimeOk(['--systemd-cgroup', 'run', '--bundle', bundle.directory, box.newId()]);
  t.match(stdout, /^0::\/\n/);
});

t.test('delete leaves no unit, not even a failed one', { skip: needs }, async (t) => {
  const { box, id, unit } = await scope(t);
  await box.runtimeOk(['--systemd-cgroup', 'delete', '--force', id]);
  t.equal(await systemctl('list-units', '--all', '--plain', '--no-legend', unit), '');
  t.notOk(existsSync(`/sys/fs/cgroup/machine.slice/${unit}`));
});

t.test('the name of a running unit is refused, and that unit goes on', { skip: needs }, async (t) => {
  const { box, unit } = await scope(t);
  const bundle = box.bundle((spec) => {
    spec.linux.cgroupsPath = `machine.slice:test:${unit.slice('test-'.length, -'.scope'.length)}`;
  });
  const { code, stderr } = await box.runtime(['--systemd-cgroup', 'run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  says(t, stderr, new RegExp(`StartTransientUnit ${unit}.*choose another in /linux/cgroupsPath`));
  t.equal(await systemctl('is-active', unit), 'active');
});

/** A container as it is left if create is killed while systemd makes the scope. */
async function unfinished(box: Sandbox, unit: string): Promise<string> {
  const id = await box.create(box.bundle());
  const file = join(box.root, id, 'state.json');
  const record = JSON.parse(readFileSync(file, 'utf8'));
  await box.runtimeOk(['delete', id]);
  mkdirSync(join(box.root, id), { mode: 0o700 });
  const { cgroup: _, ...rest } = record;
  const creator = { ...record.creator, startTime: 1 };
  writeFileSync(
    file,
    JSON.stringify({ ...rest, phase: 'creating', creator, cgroup: null, unit: { name: unit, user: false } }),
  );
  return id;
}

/** Makes a scope with this process. With a zombie it stays empty, and systemd does not notice. */
async function startScope(unit: string, pid: number): Promise<void> {
  const manager = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];
  const properties = ['1', 'PIDs', 'au', '1', String(pid), '0'];
  const call = ['call', ...manager, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'fail', ...properties];
  const { code, stderr } = await run('busctl', call);
  if (code !== 0) throw new Error(stderr);
  await waitFor(unit, async () => (await systemctl('is-active', unit)) === 'active' || undefined);
}

t.test('delete ends the scope of a create that was killed meanwhile', { skip: tsrunNeeds }, async (t) => {
  const box = sandbox(t);
  const unit = `test-${box.newId()}.scope`;
  // A shell may reap its children, so this child ends once its parent is not a shell any more.
  const child = 'while read name < /proc/$$/comm && [ "$name" != sleep ]; do :; done';
  const parent = box.startProgram('/bin/sh', ['-c', `(${child}) & echo $!; exec sleep 1000`]);
  const zombie = await waitFor('a zombie', () => {
    const pid = Number(parent.output.stdout);
    return pid > 0 && !isAlive(pid) ? pid : undefined;
  });
  const id = await unfinished(box, unit);
  await startScope(unit, zombie);
  t.match(await box.runtime(['state', id]), { code: 0, stdout: /"status": "stopped"/ });
  await box.runtimeOk(['delete', id]);
  t.equal(await systemctl('list-units', '--all', '--plain', '--no-legend', unit), '');
});

t.test('delete leaves alone a scope that create was refused', { skip: tsrunNeeds }, async (t) => {
  const box = sandbox(t);
  const unit = `test-${box.newId()}.scope`;
  const stranger = box.startProgram('/bin/sleep', ['1000']);
  const id = await unfinished(box, unit);
  await startScope(unit, stranger.child.pid ?? 0);
  t.match(await box.runtime(['--log-level', 'warning', 'delete', '--force', id]), {
    code: 0,
    stderr: /left as it is: processes are still in it/,
  });
  t.equal(await systemctl('is-active', unit), 'active');
});

t.test('a refusal is reported in systemd’s words, and leaves nothing behind', { skip: needs }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.linux.cgroupsPath = ':test:refused';
    spec.annotations = { 'org.systemd.property.NoSuchProperty': 'true' };
  });
  const { code, stderr } = await box.runtime(['--systemd-cgroup', 'run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  says(t, stderr, /StartTransientUnit test-refused\.scope: .*NoSuchProperty/);
  t.equal(await systemctl('list-units', '--all', '--plain', '--no-legend', 'test-refused.scope'), '');
});

t.test('the scope of another container is refused, and stays', { skip: needs }, async (t) => {
  const { box, id, unit } = await scope(t);
  const bundle = box.bundle((spec) => {
    spec.linux.cgroupsPath = `machine.slice:test:${unit.slice('test-'.length, -'.scope'.length)}`;
  });
  const { code, stderr } = await box.runtime(['--systemd-cgroup', 'run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 1);
  says(t, stderr, /StartTransientUnit .*another container has this name: choose another in \/linux\/cgroupsPath/);
  t.equal((await box.state(id)).status, 'running');
});

t.test('a path is refused', { skip: needs }, async (t) => {
  const box = sandbox(t);
  const { code, stderr } = await box.runtime([
    '--systemd-cgroup',
    'run',
    '--bundle',
    box.bundle((spec) => {
      spec.linux.cgroupsPath = '/tsrun-test/path';
    }).directory,
    box.newId(),
  ]);
  t.equal(code, 1);
  says(t, stderr, /cgroupsPath to be of format \\?"slice:prefix:name/);
});

t.test(
  'without systemd the driver is refused',
  { skip: existsSync('/run/systemd/system') && 'systemd is here' },
  async (t) => {
    const box = sandbox(t);
    const { code, stderr } = await box.runtime([
      '--systemd-cgroup',
      'run',
      '--bundle',
      box.bundle().directory,
      box.newId(),
    ]);
    t.equal(code, 1);
    t.match(stderr, /systemd not running on this host/);
  },
);
