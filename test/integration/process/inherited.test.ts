/** What a container inherits from its caller: what the config and the flags say, and nothing of the runtime's own. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Result, requires, run, runtimePath, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

/** Runs a container from a shell that has changed its own process before. */
function runAfter(box: Sandbox, before: string, args: string[], edit?: (spec: Spec) => void): Promise<Result> {
  const bundle = box.bundle((spec) => {
    spec.process.args = args;
    edit?.(spec);
  });
  const command = [runtimePath, '--root', box.root, 'run', '--bundle', bundle.directory, box.newId()];
  return run('/bin/sh', ['-c', `${before}; exec "$@"`, 'sh', ...command]);
}

/**
 * Lists the descriptors of the container's first process, in another. Without a pipe, because the shell would hold its
 * ends.
 */
const listDescriptors = 'ls /proc/1/fd; :';

/** Opens files with these names in the sandbox. */
function files(box: Sandbox, names: string[]): number[] {
  return names.map((name) => {
    writeFileSync(join(box.directory, name), `${name}\n`);
    return openSync(join(box.directory, name), 'r');
  });
}

t.test('descriptors that the caller left open do not reach the container', { skip }, async (t) => {
  const box = sandbox(t);
  const extraFds = files(box, ['a', 'b', 'c']);
  const { stdout } = await box.runContainer(listDescriptors, undefined, { extraFds });
  t.equal(stdout, '0\n1\n2\n');
  extraFds.forEach(closeSync);
});

t.test('streams that the caller closed are /dev/null, not the runtime’s files', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const show = (fds: string) => ['/bin/sh', '-c', `for fd in ${fds}; do readlink /proc/1/fd/$fd; done`];
  t.equal((await runAfter(box, 'exec <&-', show('0'))).stdout, '/dev/null\n');
  t.equal((await runAfter(box, 'exec <&- 2>&-', show('0 2'))).stdout, '/dev/null\n/dev/null\n');
});

// runc 1.1 leaks a descriptor of its own after them.
t.test('--preserve-fds passes descriptors on, and only so many', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const extraFds = files(box, ['a', 'b', 'c']);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', `cat <&3; cat <&4; ${listDescriptors}`];
  });
  const { stdout } = await box.runtimeOk(['run', '--preserve-fds', '2', '--bundle', bundle.directory, box.newId()], {
    extraFds,
  });
  t.equal(stdout, 'a\nb\n0\n1\n2\n3\n4\n');
  extraFds.forEach(closeSync);
});

t.test('--preserve-fds of a descriptor that is not open is refused', { skip: tsrunOnly }, async (t) => {
  // The number could be one of the runtime's own.
  const box = sandbox(t);
  const [fd = -1] = files(box, ['a']);
  for (const command of ['run', 'create']) {
    const args = [command, '--preserve-fds', '2', '--bundle', box.bundle().directory, box.newId()];
    const { code, stderr } = await box.runtime(args, { extraFds: [fd] });
    t.equal(code, 1);
    t.match(stderr, '--preserve-fds 2: descriptor 4 is not open');
  }
  closeSync(fd);
});

t.test('sockets of socket activation come first, and the environment names them', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'cat <&3; cat <&4; env | grep ^LISTEN | sort'];
  });
  const runtime = [runtimePath, '--root', box.root, 'run', '--preserve-fds', '1', '--bundle', bundle.directory];
  const runWith = async (pid: string) => {
    const extraFds = files(box, ['socket', 'preserved']);
    const { stdout } = await run('/bin/sh', ['-c', `LISTEN_PID=${pid} exec "$@"`, 'sh', ...runtime, box.newId()], {
      extraFds,
      env: { PATH: process.env.PATH ?? '', LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
    });
    extraFds.forEach(closeSync);
    return stdout;
  };
  t.equal(await runWith('$$'), 'socket\npreserved\nLISTEN_FDNAMES=web\nLISTEN_FDS=1\nLISTEN_PID=1\n');
  t.equal(await runWith('1'), 'socket\n', 'those of another process are none of ours');
});

t.test('signals have their default dispositions and none is blocked', { skip: tsrunOnly }, async (t) => {
  // With runc and crun, signals that the caller ignores stay ignored.
  const box = sandbox(t);
  const status = await runAfter(box, 'trap "" HUP USR1 PIPE', ['/bin/grep', '^Sig[BIC]', '/proc/self/status']);
  const none = '0000000000000000';
  t.equal(status.stdout, `SigBlk:\t${none}\nSigIgn:\t${none}\nSigCgt:\t${none}\n`);
});

// Go raises the soft limit, and runc 1.1 does not undo that.
t.test('resource limits without a rule are the caller’s', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const args = ['/bin/sh', '-c', 'ulimit -S -n; ulimit -H -n; ulimit -S -c'];
  const { stdout } = await runAfter(box, 'ulimit -S -n 777; ulimit -H -n 3333; ulimit -S -c 5', args, (spec) => {
    delete spec.process.rlimits;
  });
  t.equal(stdout, '777\n3333\n5\n');
});

t.test('the umask without a rule is the caller’s', { skip: tsrunOnly }, async (t) => {
  // config.md: then runtimes MUST NOT change it. runc and crun set 0022.
  const box = sandbox(t);
  t.equal((await runAfter(box, 'umask 0137', ['/bin/sh', '-c', 'umask'])).stdout, '0137\n');
  const rule = await runAfter(box, 'umask 0137', ['/bin/sh', '-c', 'umask'], (spec) => {
    spec.process.user.umask = 0o2;
  });
  t.equal(rule.stdout, '0002\n');
});

t.test('oom_score_adj without a rule is the caller’s', { skip }, async (t) => {
  const box = sandbox(t);
  const before = 'echo 321 >/proc/self/oom_score_adj';
  const { stdout } = await runAfter(box, before, ['/bin/cat', '/proc/self/oom_score_adj'], (spec) => {
    delete spec.process.oomScoreAdj;
  });
  t.equal(stdout, '321\n');
});

t.test('the environment comes only from the config', { skip }, async (t) => {
  const box = sandbox(t);
  const show = ['/bin/cat', '/proc/self/environ'];
  const { stdout } = await box.runContainer(
    show,
    (spec) => {
      spec.process.env = ['PATH=/bin', 'HOME=/', 'A=1'];
    },
    { env: { PATH: process.env.PATH ?? '', SECRET: 'x', TSRUN_NOFILE: '5', NODE_OPTIONS: '--no-such-option' } },
  );
  t.equal(stdout, 'PATH=/bin\0HOME=/\0A=1\0');
});

t.test('OPENSSL_CONF, with which Node would load a library, does not reach tsrun', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const file = join(box.directory, 'openssl.cnf');
  const sections = [
    'nodejs_conf = node',
    '[node]',
    'engines = all',
    '[all]',
    'one = it',
    '[it]',
    'dynamic_path = /none.so',
  ];
  writeFileSync(file, `${sections.join('\n')}\n`);
  const { code } = await box.runtime(['--version'], { env: { PATH: process.env.PATH ?? '', OPENSSL_CONF: file } });
  t.equal(code, 0);
});

t.test('a created container that waits for start holds little memory', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const { pid } = await box.state(id);
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kibibytes = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce(
    (sum, [, size]) => sum + Number(size),
    0,
  );
  t.ok(kibibytes > 0 && kibibytes < 300, `${kibibytes} KiB`);
});
