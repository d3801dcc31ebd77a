/** While init sets itself up, the OOM killer kills it and no other process; the program has the value of its config. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type Bundle,
  inUserNamespace,
  requires,
  runtimePath,
  type Sandbox,
  type Spec,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

const needs = { root: true, runtime: 'tsrun', cgroup2: true };
const skip = requires(needs);
const skipHeld = requires({ ...needs, commands: ['strace'] });

const readScore = (pid: number) => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim();
const own = readScore(process.pid);

/**
 * Runs the command, and stops its init at the first filesystem that it opens.
 *
 * @returns init's oom_score_adj there, and the command's output
 */
async function scoreMeanwhile(box: Sandbox, bundle: Bundle, args: string[]) {
  const log = join(box.directory, 'strace');
  const inject = ['-f', '-qq', '-o', log, '-e', 'trace=fsopen', '-e', 'inject=fsopen:signal=STOP:when=1'];
  const procs = join(box.cgroupOf(bundle), 'cgroup.procs');
  const pids = () => (existsSync(procs) ? readFileSync(procs, 'utf8').split('\n').filter(Boolean).map(Number) : []);
  const before = pids();
  const output = { outputFiles: join(box.directory, 'output') };
  const traced = box.startProgram('strace', [...inject, runtimePath, '--root', box.root, ...args], output);
  const isHeld = () => existsSync(log) && readFileSync(log, 'utf8').includes('--- stopped by SIGSTOP');
  await waitFor('init to be held', () => (isHeld() ? true : undefined));
  const init = pids().find((pid) => !before.includes(pid)) ?? 0;
  const score = readScore(init);
  process.kill(init, 'SIGCONT');
  const { code, stdout, stderr } = await traced.done;
  return { score, code, stdout, stderr };
}

const show = ['/bin/cat', '/proc/self/oom_score_adj'];

const cases: [string, string, ((spec: Spec) => void)?][] = [
  ['the caller’s', own],
  ['its own', '77', (spec) => (spec.process.oomScoreAdj = 77)],
  [
    'its own as an ordinary user without capabilities',
    '77',
    (spec) => {
      spec.process.oomScoreAdj = 77;
      spec.process.user = { ...spec.process.user, uid: 1000, gid: 1000 };
      spec.process.capabilities = {};
    },
  ],
  ['the caller’s in a user namespace', own, inUserNamespace],
  [
    'its own as an ordinary user of a user namespace',
    '77',
    (spec) => {
      inUserNamespace(spec);
      spec.process.oomScoreAdj = 77;
      spec.process.user = { ...spec.process.user, uid: 1000, gid: 1000 };
    },
  ],
];

for (const [name, expected, edit] of cases) {
  t.test(`init of run is the first to go, and the program has ${name}`, { skip: skipHeld }, async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      delete spec.process.oomScoreAdj;
      edit?.(spec);
      spec.process.args = show;
    });
    const result = await scoreMeanwhile(box, bundle, ['run', '--bundle', bundle.directory, box.newId()]);
    t.match(result, { score: '1000', code: 0, stdout: `${expected}\n` });
  });

  t.test(`init of exec is the first to go, and the program has ${name}`, { skip: skipHeld }, async (t) => {
    const box = sandbox(t);
    const bundle = box.bundle((spec) => {
      delete spec.process.oomScoreAdj;
      edit?.(spec);
      spec.process.args = ['/bin/sleep', '1000'];
    });
    const id = await box.create(bundle);
    t.equal(readScore((await box.state(id)).pid), expected, 'and so has one that waits for start');
    await box.runtimeOk(['start', id]);
    t.match(await scoreMeanwhile(box, bundle, ['exec', id, ...show]), {
      score: '1000',
      code: 0,
      stdout: `${expected}\n`,
    });
  });
}

t.test('a program may restore its former value', { skip }, async (t) => {
  const script = `echo 900 >/proc/self/oom_score_adj && echo ${own} >/proc/self/oom_score_adj && cat /proc/self/oom_score_adj`;
  const stdout = await sandbox(t).outputOf(['/bin/sh', '-c', script], (spec) => {
    delete spec.process.oomScoreAdj;
  });
  t.equal(stdout, `${own}\n`);
});

t.test('hooks see what the program will have', { skip }, async (t) => {
  for (const kind of ['createRuntime', 'createContainer'] as const) {
    const box = sandbox(t);
    const file = join(box.directory, 'seen');
    const bundle = box.bundle((spec) => {
      spec.process.oomScoreAdj = 77;
      spec.process.args = ['/bin/true'];
      const pid = kind === 'createRuntime' ? '$(sed \'s/.*"pid":\\([0-9]*\\).*/\\1/\')' : 'self';
      spec.hooks = { [kind]: [{ path: '/bin/sh', args: ['sh', '-c', `cat /proc/${pid}/oom_score_adj >${file}`] }] };
    });
    await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
    t.equal(readFileSync(file, 'utf8'), '77\n', kind);
  }
});

t.test('init of a container that joins namespaces is the first to go', { skip: skipHeld }, async (t) => {
  for (const types of [['pid'], ['user', 'pid']] as const) {
    const box = sandbox(t);
    const holder = await box.create(box.bundle(inUserNamespace));
    const { pid } = await box.state(holder);
    const bundle = box.bundle((spec) => {
      delete spec.process.oomScoreAdj;
      spec.process.args = show;
      const joined = (type: 'user' | 'pid') => ({ type, path: `/proc/${pid}/ns/${type}` });
      const others = spec.linux.namespaces.filter(({ type }) => !types.some((one) => one === type));
      spec.linux.namespaces = [...others, ...types.map(joined)];
    });
    const result = await scoreMeanwhile(box, bundle, ['run', '--bundle', bundle.directory, box.newId()]);
    t.match(result, { score: '1000', code: 0, stdout: `${own}\n` }, types.join());
  }
});
