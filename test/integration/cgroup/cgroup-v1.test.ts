/** Hosts without cgroup v2, or with it beside v1. Each is simulated in a mount namespace of its own. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import {
  type Result,
  type RunOptions,
  requires,
  run,
  runtimePath,
  type Sandbox,
  sandbox,
} from '../../harness/index.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' });

/** Covers /sys/fs/cgroup as on a host that uses only v1, without controllers, so that a test can do no harm. */
const v1Only = 'mount -t tmpfs none /sys/fs/cgroup';
const hybrid = `${v1Only} && mkdir /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified`;

/** Runs the runtime on the host that these commands simulate. */
function on(host: string, box: Sandbox, args: string[], options?: RunOptions): Promise<Result> {
  const script = `${host} && exec "$@"`;
  const command = ['sh', '-c', script, 'sh', runtimePath, '--root', box.root, ...args];
  return run('unshare', ['--mount', ...command], options);
}

t.test('without cgroup v2 containers run, without a cgroup of their own', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['sleep', '1000'];
    delete spec.linux.resources;
  });
  const id = box.newId();
  const outputFiles = `${box.directory}/output`;
  const created = await on(v1Only, box, ['--log-level', 'warning', 'create', '--bundle', bundle.directory, id], {
    outputFiles,
  });
  t.match(created, {
    code: 0,
    stderr: /no cgroup v2 is mounted at \/sys\/fs\/cgroup: the container gets no cgroup of its own/,
  });
  t.match(await on(v1Only, box, ['start', id]), { code: 0 });
  t.match(await on(v1Only, box, ['exec', id, 'echo', 'inside']), { code: 0, stdout: 'inside\n' });
  for (const command of [['pause'], ['update', '--pids-limit', '5'], ['events', '--stats']]) {
    const { code, stderr } = await on(v1Only, box, [...command, id]);
    t.equal(code, 1, command.join(' '));
    t.match(stderr, /cgroup/, command.join(' '));
  }
  t.match(await on(v1Only, box, ['kill', id, 'KILL']), { code: 0 });
  t.match(await on(v1Only, box, ['delete', '--force', id]), { code: 0, stderr: '' });
});

t.test('without cgroup v2 no limit is promised', { skip }, async (t) => {
  for (const [resources, message] of [
    [
      { memory: { limit: 67_108_864 } },
      /memory\/limit: no cgroup v2 is mounted at \/sys\/fs\/cgroup, so there are no limits/,
    ],
    [{ pids: { limit: 5 } }, /pids\/limit: no cgroup v2 is mounted at \/sys\/fs\/cgroup/],
    [
      { unified: { 'cgroup.max.depth': '3' } },
      /unified\/cgroup\.max\.depth: no cgroup v2 is mounted at \/sys\/fs\/cgroup/,
    ],
    [
      { devices: [{ allow: false }] },
      /resources\/devices: no cgroup v2 is mounted at \/sys\/fs\/cgroup, so there is no device filter/,
    ],
  ] as const) {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      spec.linux.resources = resources as NonNullable<typeof spec.linux.resources>;
    });
    const { code, stderr } = await on(v1Only, box, ['run', '--bundle', bundle.directory, box.newId()]);
    t.equal(code, 1);
    t.match(stderr, message);
    t.match(stderr, /hint: mount -t cgroup2 .*nsenter --net=.*remove the property/);
  }
});

t.test('below ip netns exec, which hides the host’s /sys/fs/cgroup, the error says what to do', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.linux.resources = { pids: { limit: 5 } };
  });
  const name = `tsrun-test-${process.pid}`;
  execFileSync('ip', ['netns', 'add', name]);
  t.teardown(() => execFileSync('ip', ['netns', 'delete', name]));
  const command = [runtimePath, '--root', box.root, 'run', '--bundle', bundle.directory, box.newId()];
  const { code, stderr } = await run('ip', ['netns', 'exec', name, ...command]);
  t.equal(code, 1);
  t.match(stderr, /pids\/limit: no cgroup v2 is mounted at .*hint: .*nsenter --net=/);
});

t.test('beside v1 the limits are in cgroup v2', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['cat', '/sys/fs/cgroup/cgroup.max.depth'];
    spec.linux.resources = { ...spec.linux.resources, unified: { 'cgroup.max.depth': '3' } };
  });
  const { code, stdout } = await on(hybrid, box, ['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(stdout, '3\n');
  t.equal(code, 0);
});

t.test(
  'a controller of v1 is named with the mount of its hierarchy',
  // This machine itself is such a host.
  { skip: skip || requires({ files: ['/sys/fs/cgroup/unified/cgroup.controllers', '/sys/fs/cgroup/memory'] }) },
  async (t) => {
    const limit = (spec: { linux: { resources?: object } }) => {
      spec.linux.resources = { memory: { limit: 67_108_864 } };
    };
    const { code, stderr } = await sandbox(t).runContainer('true', limit);
    t.equal(code, 1);
    t.match(
      stderr,
      /memory\/limit: controller memory is missing from cgroup v2 at \/sys\/fs\/cgroup\/unified: .*v1, at \//,
    );
  },
);
