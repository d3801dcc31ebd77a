/** `update`: a running container gets the new limits, and a refused update changes nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Differences,
  isExempt,
  type Needs,
  requires,
  runtimeName,
  type Sandbox,
  type Spec,
  sandbox,
  says,
} from '../../harness/index.ts';

const root = { root: true, cgroup2: true };
const needs = (more: Needs = {}) => requires({ ...root, ...more });

/** crun opens /dev/stdin, which fails where stdin is a socket. */
const stdin = { crun: 'cannot read from a socket' };

interface Sleeper {
  box: Sandbox;
  id: string;
  /** A file of the container's cgroup. */
  file: (name: string) => string;
  update: (...args: string[]) => ReturnType<Sandbox['runtime']>;
}

/** A running container. */
async function sleeper(t: Test, edit?: (spec: Spec) => void): Promise<Sleeper> {
  const box = sandbox(t);
  const { id, bundle } = await box.idle(edit);
  const cgroup = box.cgroupOf(bundle);
  return {
    box,
    id,
    file: (name) => readFileSync(join(cgroup, name), 'utf8').trim(),
    update: (...args) => box.runtime(['update', ...args, id]),
  };
}

t.test('limits from stdin', { skip: needs({ differs: stdin }) }, async (t) => {
  const { box, id, file } = await sleeper(t);
  await box.runtimeOk(['update', '--resources', '-', id], { input: '{"unified":{"cgroup.max.descendants":"7"}}' });
  t.equal(file('cgroup.max.descendants'), '7');
});

const swap = {
  'crun with systemd': 'tells systemd memory and swap together as MemorySwapMax, the limit of swap alone',
};

t.test(
  'memory, swap and pids by options',
  { skip: needs({ controllers: ['memory', 'pids'], differs: swap }) },
  async (t) => {
    const { update, file } = await sleeper(t);
    t.equal((await update('--memory', '67108864', '--memory-swap', '100663296', '--pids-limit', '33')).code, 0);
    t.equal(file('memory.max'), '67108864');
    t.equal(file('memory.swap.max'), '33554432');
    t.equal(file('pids.max'), '33');
    t.equal((await update('--memory', '33554432', '--memory-swap', '50331648')).code, 0);
    t.equal(file('memory.max'), '33554432');
    t.equal(file('memory.swap.max'), '16777216');
  },
);

const together = { crun: 'refuses --memory-swap without --memory' };
const swapAlone = { controllers: ['memory'], differs: together };

t.test('swap alone is relative to the current memory limit', { skip: needs(swapAlone) }, async (t) => {
  const { update, file } = await sleeper(t, (spec) => {
    spec.linux.resources = { memory: { limit: 67_108_864 } };
  });
  t.equal((await update('--memory-swap', '96M')).code, 0);
  t.equal(file('memory.swap.max'), '33554432');
  const { code, stderr } = await update('--memory-swap', '32M');
  t.equal(code, 1);
  says(t, stderr, /memory\/swap: 33554432 is less than the memory limit 67108864/);
  t.equal(file('memory.swap.max'), '33554432', 'and changes nothing');
});

t.test(
  'cpu: a value that is not given stays, and both may shrink at once',
  { skip: needs({ controllers: ['cpu'], differs: { crun: 'has no --cpu-burst' } }) },
  async (t) => {
    const { update, file } = await sleeper(t, (spec) => {
      spec.linux.resources = { cpu: { quota: 50_000, period: 100_000, burst: 40_000 } };
    });
    t.equal((await update('--cpu-quota', '20000', '--cpu-burst', '10000')).code, 0);
    t.equal(file('cpu.max'), '20000 100000');
    t.equal(file('cpu.max.burst'), '10000');
    t.equal((await update('--cpu-period', '200000')).code, 0);
    t.equal(file('cpu.max'), '20000 200000');
    t.equal((await update('--cpu-quota', '-1', '--cpu-share', '512')).code, 0);
    t.match(file('cpu.max'), /^max /);
    t.equal(file('cpu.weight'), '59');
  },
);

t.test(
  'checkBeforeUpdate refuses a limit below the usage',
  { skip: needs({ controllers: ['memory'], differs: stdin }) },
  async (t) => {
    const { box, id, file } = await sleeper(t);
    const input = '{"memory":{"limit":4096,"checkBeforeUpdate":true}}';
    const { code, stderr } = await box.runtime(['update', '-r', '-', id], { input });
    t.equal(code, 1);
    says(t, stderr, /checkBeforeUpdate: the new limit 4096 is below memory\.current/);
    t.equal(file('memory.max'), 'max');
  },
);

const noDevice = { crun: 'has no --device', runc: 'has no --device' };

t.test('a device is allowed and denied while the container runs', { skip: needs({ differs: noDevice }) }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = [
      'sh',
      '-c',
      'mknod /dev/k c 1 11; while :; do (: > /dev/k) 2>/dev/null && echo y || echo n; sleep 0.05; done',
    ];
    spec.process.noNewPrivileges = false;
    for (const set of ['bounding', 'effective', 'permitted'] as const)
      spec.process.capabilities?.[set]?.push('CAP_MKNOD');
  });
  const id = box.newId();
  const { output } = box.startRuntime(['run', '--bundle', bundle.directory, id]);
  const says = async (answer: string) => {
    const from = output.stdout.length;
    const { waitFor } = await import('../../harness/index.ts');
    await waitFor(answer, () => (output.stdout.slice(from).includes(`${answer}\n`) ? true : undefined));
  };
  await says('n');
  await box.runtimeOk(['update', '--device', 'c 1:11 w', id]);
  await says('y');
  await box.runtimeOk(['update', '--device', 'deny c 1:11 rwm', id]);
  await says('n');
});

t.test('bad values are named and change nothing', { skip: needs({ differs: stdin }) }, async (t) => {
  const { box, id, update, file } = await sleeper(t);
  const bad: [string, RegExp, Differences?][] = [
    ['{"unified":{"cgroup.max.depth":"4"},"pids":{"limit":"many"}}', /: \/pids\/limit: /],
    ['{"memory":{"swappiness":50}}', /memory\/swappiness: only cgroup v1/, { runc: 'ignores it' }],
    [
      '{"unified":{"cgroup.max.depth":"4","../x.y":"1"}}',
      /unified\/\.\.~1x\.y/,
      { runc: 'leaves what it has written before' },
    ],
    ['{"memory":', /stdin:1:1: /],
    ['[]', /stdin: expected an object/],
    [
      '{"linux":{"resources":{"unified":{"cgroup.max.depth":"4"}}}}',
      /stdin: expected an object that looks like \/linux\/resources, found only \\"linux\\" .*hint/,
      { runc: 'ignores it', crun: 'ignores it' },
    ],
    [
      '{"unifed":{"cgroup.max.depth":"4"}}',
      /found only \\"unifed\\" .*did you mean/,
      { runc: 'ignores it', crun: 'ignores it' },
    ],
  ];
  for (const [input, words, differs] of bad) {
    if (isExempt(t, input, differs)) continue;
    const { code, stderr } = await box.runtime(['update', '--resources', '-', id], { input });
    t.equal(code, 1, input);
    says(t, stderr, words, input);
  }
  t.equal(file('cgroup.max.depth'), 'max');
  if (runtimeName === 'tsrun') {
    const input = '{"unified":{"cgroup.max.descendants":"9"},"pidz":{"limit":1}}';
    const { code, stderr } = await box.runtime(['--log-level', 'warning', 'update', '-r', '-', id], { input });
    t.equal(code, 0, 'an unknown property beside known ones is for the log');
    t.match(stderr, /level=warning msg="stdin:1:\d+: \/pidz: unknown property \(did you mean/);
    t.equal(file('cgroup.max.descendants'), '9');
  }
  says(t, (await update('--device', 'x 1:3 r')).stderr, /not a device rule/);
  says(t, (await update('--resources', '/nonexistent')).stderr, /--resources: cannot read \/nonexistent/);
});

const keeps = { crun: 'leaves what it has written before', runc: 'leaves what it has written before' };

t.test('a refusal of the kernel changes nothing', { skip: needs({ differs: keeps }) }, async (t) => {
  const { box, id, file } = await sleeper(t, (spec) => {
    spec.linux.resources = { unified: { 'cgroup.max.depth': '3' } };
  });
  const input = '{"unified":{"cgroup.max.depth":"4","cgroup.max.descendants":"many"}}';
  const { code, stderr } = await box.runtime(['update', '-r', '-', id], { input });
  t.equal(code, 1);
  says(t, stderr, /unified\/cgroup\.max\.descendants: write .*EINVAL/);
  t.same([file('cgroup.max.depth'), file('cgroup.max.descendants')], ['3', 'max']);
});

t.test(
  'a refusal after limits and devices have changed undoes the changes',
  { skip: needs({ runtime: 'tsrun' }) },
  async (t) => {
    const { file, update, box, id } = await sleeper(t);
    const record = () => readFileSync(join(box.root, id, 'state.json'), 'utf8');
    const before = record();
    const input = '{"unified":{"cgroup.max.depth":"4"}}';
    const args = ['--device', 'c 10:229 rw', '--l3-cache-schema', 'L3:0=f'];
    const { code, stderr } = await box.runtime(['update', '-r', '-', ...args, id], { input });
    t.equal(code, 1);
    says(t, stderr, /has no resctrl group of its own/);
    t.equal(file('cgroup.max.depth'), 'max');
    t.equal(record(), before);
    t.equal((await update('--device', 'c 10:229 rw')).code, 0);
    t.not(record(), before, 'where the rules stand');
  },
);

const ownIdle = { crun: 'has no --cpu-idle', runc: 'refuses a weight while the cgroup is idle' };

t.test(
  'a weight comes back once cpu.idle ends, and may be set meanwhile',
  { skip: needs({ controllers: ['cpu'], differs: ownIdle }) },
  async (t) => {
    const { update, file, box, id } = await sleeper(t, (spec) => {
      spec.linux.resources = { cpu: { shares: 512 } };
    });
    // Meanwhile cpu.weight differs from kernel to kernel.
    const state = () => (file('cpu.idle') === '1' ? ['1'] : ['0', file('cpu.weight')]);
    const ok = async (...args: string[]) => t.match(await update(...args), { code: 0, stdout: '' }, args.join(' '));
    t.same(state(), ['0', '59']);
    await ok('--cpu-idle', '1');
    t.same(state(), ['1']);
    await ok('--cpu-idle', '0');
    t.same(state(), ['0', '59'], 'that of the config');
    await ok('--cpu-share', '2048');
    await ok('--cpu-idle', '1');
    await ok('--pids-limit', '50');
    t.same(state(), ['1'], 'another change does not end it');
    await ok('--cpu-idle', '0');
    t.same(state(), ['0', '174'], 'that of an update');
    await ok('--cpu-idle', '1');
    await ok('--cpu-share', '1024');
    t.same(state(), ['1'], 'nor does a weight');
    await ok('--cpu-idle', '0');
    t.same(state(), ['0', '100'], 'which comes then');
    const input = '{"cpu":{"idle":1},"unified":{"cpu.weight":"7"}}';
    await box.runtimeOk(['update', '-r', '-', id], { input });
    await ok('--cpu-idle', '0', '--cpu-share', '2');
    t.same(state(), ['0', '1'], 'and one that is given with the end wins');
  },
);

t.test(
  'a container that is created idle gets its weight once that ends',
  { skip: needs({ controllers: ['cpu'], differs: ownIdle }) },
  async (t) => {
    const { update, file } = await sleeper(t, (spec) => {
      spec.linux.resources = { cpu: { shares: 512, idle: 1 } };
    });
    t.equal(file('cpu.idle'), '1');
    t.equal((await update('--cpu-idle', '0')).code, 0);
    t.same([file('cpu.idle'), file('cpu.weight')], ['0', '59']);
  },
);

t.test('only an existing container can be updated', { skip: needs() }, async (t) => {
  const box = sandbox(t);
  says(t, (await box.runtime(['update', '--pids-limit', '5', 'nobody'])).stderr, /container does not exist/);
  const id = await box.create(
    box.bundle((spec) => {
      spec.process.args = ['true'];
    }),
  );
  await box.runtimeOk(['start', id]);
  await box.waitForState(id, 'stopped');
  if (isExempt(t, 'one that has ended', { 'crun with cgroupfs': 'says nothing' })) return;
  says(t, (await box.runtime(['update', '--pids-limit', '5', id])).stderr, /container not running/);
});
