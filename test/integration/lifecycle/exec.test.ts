/** `exec`: one more process in a container. */
import { chmodSync, mkdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type Differences,
  inUserNamespace,
  isExempt,
  requires,
  runtimeName,
  type Sandbox,
  sandbox,
  says,
  waitFor,
} from '../../harness/index.ts';

const skip = requires({ root: true });
const skipFor = (differs: Differences) => requires({ root: true, differs });

/** The exit code if the process has none of its own. */
const failure = runtimeName === 'crun' ? 1 : 255;

/** stdout of a shell script in the container. */
async function shell(box: Sandbox, id: string, script: string, flags: string[] = []): Promise<string> {
  return (await box.runtimeOk(['exec', ...flags, id, 'sh', '-c', script])).stdout;
}

t.test('exec passes stdio and the exit code on', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const result = await box.runtime(['exec', id, 'sh', '-c', 'cat; echo err >&2; exit 5'], { input: 'in' });
  t.match(result, { code: 5, stdout: 'in', stderr: 'err\n' });
  t.equal((await box.runtime(['exec', id, 'sh', '-c', 'kill -9 $$'])).code, 128 + 9);
});

t.test('a passwd that is an endless device does not hold exec up', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle((spec) => {
    spec.mounts = [
      ...(spec.mounts ?? []),
      { destination: '/etc/passwd', type: 'bind', source: '/dev/zero', options: ['bind'] },
    ];
  });
  const { code, stderr } = await box.runtime(['exec', '--user', 'nobody-at-all', id, 'true']);
  t.equal(code, failure);
  says(t, stderr, /unable to find user/);
});

t.test('exec takes the process from flags', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const flags = ['--cwd', '/tmp', '--env', 'A=1', '--env', 'B=2', '--user', '1000:5'];
  t.equal(await shell(box, id, 'pwd; echo $A$B; id -u; id -g; id -G', flags), '/tmp\n12\n1000\n5\n5\n');
  t.match(await shell(box, id, 'cat /proc/self/status', ['--no-new-privs']), /NoNewPrivs:\s*1/);
});

const otherForms = { crun: 'has no -g', runc: 'refuses two forms of one flag' };

t.test('exec takes a flag in both forms, and groups', { skip: skipFor(otherForms) }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const flags = ['--env', 'A=1', '-e', 'B=2', '--user', '1000:5', '-g', '6', '-g', '7'];
  t.equal(await shell(box, id, 'echo $A$B; id -G', flags), '12\n5 6 7\n');
});

const numbersOnly = { crun: 'takes users by number only', runc: 'takes users by number only' };

t.test('exec looks names up in the container', { skip: skipFor(numbersOnly) }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  t.equal(await shell(box, id, 'id -u; id -g; echo $HOME', ['--user', 'user:tty']), '1000\n5\n/home/user\n');
  const { code, stderr } = await box.runtime(['exec', '--user', 'nobody-at-all', id, 'true']);
  t.equal(code, 255);
  t.match(stderr, /nobody-at-all/);
});

const readsOn = { crun: 'takes -1 for a uid' };

t.test('exec refuses a user that is not quite a number', { skip: skipFor(readsOn) }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  for (const user of ['0x0', '1000x', '1000:', ':5', '1:2:3', '-1', '4294967295']) {
    const { code } = await box.runtime(['exec', `--user=${user}`, id, 'true']);
    t.equal(code, failure, user);
  }
});

t.test('--cap adds to the bounding, effective and permitted sets, and not to the inheritable', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const status = await shell(box, id, 'cat /proc/self/status', ['--cap', 'CAP_SYS_TIME']);
  const has = (set: string) => (BigInt(`0x${new RegExp(`^${set}:\\s*(\\w+)`, 'm').exec(status)?.[1]}`) >> 25n) & 1n;
  t.same(['CapBnd', 'CapPrm', 'CapEff', 'CapInh'].map(has), [1n, 1n, 1n, 0n]);
});

const ignoresIt = { crun: 'takes no notice of it', runc: 'warns of it and goes on' };

t.test('--cap refuses unknown capabilities', { skip: skipFor(ignoresIt) }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const { code, stderr } = await box.runtime(['exec', '--cap', 'CAP_NONE', id, 'true']);
  t.equal(code, failure);
  says(t, stderr, /unknown capability/);
});

t.test('--process takes the process from a file', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const file = join(box.directory, 'process.json');
  const process = {
    cwd: '/tmp',
    args: ['/bin/sh', '-c', 'pwd; echo $X; ulimit -n'],
    env: ['PATH=/bin', 'X=y'],
    user: { uid: 0, gid: 0 },
  };
  writeFileSync(file, JSON.stringify({ ...process, rlimits: [{ type: 'RLIMIT_NOFILE', soft: 77, hard: 77 }] }));
  t.equal((await box.runtimeOk(['exec', '--process', file, id])).stdout, '/tmp\ny\n77\n');
});

t.test('--process says where the file is wrong', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const file = join(box.directory, 'process.json');
  writeFileSync(file, '{\n  "cwd": "tmp",\n  "args": [7]\n}');
  const { code, stderr } = await box.runtime(['exec', '--process', file, id]);
  t.equal(code, failure);
  says(t, stderr, /process\.json:2:\d+: \/cwd: must be an absolute path/);
  says(t, stderr, /process\.json:3:\d+: \/args\/0: /);
});

t.test('exec fails with 255, crun with 1, and names the reason', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  t.match(await box.runtime(['exec', id, 'no-such-program']), {
    code: failure,
    stderr: /executable file.*not found in \$PATH/,
  });
  if (!isExempt(t, 'a relative cwd', { crun: 'takes it to be below /' })) {
    t.match(await box.runtime(['exec', '--cwd', 'tmp', id, 'pwd']), { code: 255, stderr: /must be an absolute path/i });
  }
  t.match(await box.runtime(['exec', 'no-such-container', 'true']), { code: failure, stderr: /does not exist/ });
  await box.runtimeOk(['kill', id, 'KILL']);
  await box.waitForState(id, 'stopped');
  t.equal((await box.runtime(['exec', id, 'true'])).code, failure);
});

t.test('exec goes into a container that has not been started', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  t.equal(await shell(box, id, 'echo in'), 'in\n');
  t.equal((await box.state(id)).status, 'created');
});

t.test(
  'exec joins all namespaces and the cgroup of the container',
  { skip: requires({ root: true, cgroup2: true }) },
  async (t) => {
    const box = sandbox(t);
    const { id, bundle } = await box.idle();
    const { pid } = await box.state(id);
    // A single process, so that ps does not list one that has ended meanwhile.
    const running = box.startRuntime(['exec', id, 'sh', '-c', ': > /joined; exec sleep 1000']);
    await waitFor('the process', () => bundle.has('joined') || undefined);
    const pids: number[] = JSON.parse((await box.runtimeOk(['ps', '--format', 'json', id])).stdout);
    const other = pids.find((each) => each !== pid) ?? 0;
    const places = (of: number) =>
      readFileSync(`/proc/${of}/cgroup`, 'utf8')
        .split('\n')
        .find((line) => line.startsWith('0::'));
    t.equal(places(other), places(pid));
    const types = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts'];
    const namespaces = (of: number) => types.map((type) => readlinkSync(`/proc/${of}/ns/${type}`));
    t.same(namespaces(other), namespaces(pid));
    await waitFor('exec to pass signals on', () => runtimeName !== 'tsrun' || catchesAll(running.pid) || undefined);
    running.child.kill('SIGTERM');
    t.equal((await running.done).code, 128 + 15);
  },
);

/** Whether it has a handler for the last signal, which gets its handler last. */
function catchesAll(pid: number): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${caught}`) & (1n << 63n)) !== 0n;
}

const needsHugetlb = requires({ root: true, cgroup2: true, controllers: ['hugetlb'], runtime: ['tsrun', 'runc'] });

t.test('exec follows init into the cgroup it has made', { skip: needsHugetlb }, async (t) => {
  const box = sandbox(t);
  const { id, bundle } = await box.idle();
  const { pid } = await box.state(id);
  const cgroup = box.cgroupOf(bundle);
  // As systemd does in a container. Then the container's cgroup may have no processes of its own.
  mkdirSync(join(cgroup, 'init.scope'));
  writeFileSync(join(cgroup, 'init.scope/cgroup.procs'), String(pid));
  writeFileSync(join(cgroup, 'cgroup.subtree_control'), '+hugetlb');
  t.match(await shell(box, id, 'cat /proc/self/cgroup'), /init\.scope/);
  const elsewhere = await box.runtime(['exec', '--cgroup', '/', id, 'true']);
  t.equal(elsewhere.code, 255, 'a cgroup that was asked for is not replaced by another');
});

const belowScope = { 'crun with systemd': 'puts the container into a cgroup below its scope' };

t.test(
  'exec --cgroup goes below the container’s cgroup, and never out of it',
  { skip: skipFor(belowScope) },
  async (t) => {
    const box = sandbox(t);
    const { id, bundle } = await box.idle();
    const cgroup = box.cgroupOf(bundle);
    mkdirSync(join(cgroup, 'sub'));
    t.match(await shell(box, id, 'cat /proc/self/cgroup', ['--cgroup', 'sub']), /^0::\/sub$/m);
    rmdirSync(join(cgroup, 'sub'));
    for (const path of ['..', 'a/../..', 'absent']) {
      t.equal((await box.runtime(['exec', '--cgroup', path, id, 'true'])).code, failure, path);
    }
  },
);

const ownAttributes = { crun: 'gives them to init only' };

t.test(
  'the process has the attributes that the config gives every process',
  { skip: skipFor(ownAttributes) },
  async (t) => {
    const box = sandbox(t);
    const { id } = await box.idle(({ process }) => {
      process.oomScoreAdj = 123;
      process.rlimits = [{ type: 'RLIMIT_CORE', soft: 4096, hard: 8192 }];
      process.scheduler = { policy: 'SCHED_OTHER', nice: 7 };
      process.execCPUAffinity = { initial: '0-1', final: '0' };
    });
    const output = await shell(
      box,
      id,
      "cat /proc/self/oom_score_adj; ulimit -c; ulimit -Hc; cut -d' ' -f19 /proc/self/stat; cat /proc/self/status",
    );
    t.match(output, /^123\n8\n16\n7\n/);
    t.match(output, /^Cpus_allowed_list:\s*0$/m);
  },
);

t.test('the container’s seccomp profile applies to exec', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle(({ linux }) => {
    linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
    };
  });
  t.match(await box.runtime(['exec', id, 'mkdir', '/tmp/x']), { code: 1, stderr: /not supported/ });
});

t.test(
  'exec enters the user namespace of the container',
  { skip: requires({ root: true, userns: true }) },
  async (t) => {
    const box = sandbox(t);
    // runc and crun look for the rootfs as the user that is root in the namespace.
    if (runtimeName !== 'tsrun') chmodSync(box.directory, 0o711);
    const { id } = await box.idle(inUserNamespace);
    t.equal(
      await shell(box, id, 'id -u; id -g; cut -c1-33 /proc/self/uid_map'),
      '0\n0\n         0     100000      65536\n',
    );
    t.equal(await shell(box, id, 'id -u; id -g', ['--user', '1000:1000']), '1000\n1000\n');
  },
);

t.test('plan --exec prints what exec would do', { skip: requires({ root: true, runtime: 'tsrun' }) }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const { stdout } = await box.runtimeOk(['plan', '--exec', '--user', '1000', id, 'sh', '-c', 'true']);
  t.match(stdout, /join-container .*\n(.*\n)*.*set-user uid=1000 .*\n(.*\n)*.*exec /);
});
