/** `spec`, and `--config` of the commands that read its output. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { requires, run, runtimePath, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

/** --systemd-cgroup is refused together with --cgroup-manager. */
const managed = requires({ root: true, runtime: 'tsrun', cgroupDriver: 'cgroupfs' });

t.test('spec writes a config for the program that it is given', { skip: managed }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle();
  const file = join(box.directory, 'other.json');
  const wanted = [
    '--no-terminal',
    '--writable',
    '--env',
    'WORD=hello',
    '--hostname',
    'here',
    '--rootfs',
    bundle.rootfs,
  ];
  const script = 'echo $WORD $(hostname) $1; : > /made';
  await box.runtimeOk(['spec', ...wanted, '--config', file, '--', '/bin/sh', '-c', script, 'sh', '--flag']);
  const { stdout, code, stderr } = await box.runtime([
    ...['--cgroup-manager', 'disabled', 'run', '--config', file],
    ...['--bundle', bundle.directory, box.newId()],
  ]);
  t.match({ code, stdout, stderr }, { code: 0, stdout: 'hello here --flag\n', stderr: '' });
  t.ok(existsSync(join(bundle.rootfs, 'made')));
  const again = await box.runtime(['spec', '--config', file]);
  t.match(again, { code: 1, stderr: /File other.json exists. Remove it first/ });
});

t.test('spec prints the config that it would write', { skip }, async (t) => {
  const directory = t.testdir();
  const printed = (await run(runtimePath, ['spec', '--config', '-'], { cwd: directory })).stdout;
  t.notOk(existsSync(join(directory, 'config.json')));
  t.match(JSON.parse(printed), { process: { args: ['sh'], terminal: true }, root: { path: 'rootfs', readonly: true } });
  t.match(await run(runtimePath, ['spec', '--env', 'X', '--config', '-'], {}), {
    code: 1,
    stderr: /--env .*name=value/,
  });
});

t.test('the error names a missing --config file', { skip }, async (t) => {
  const box = sandbox(t);
  for (const command of ['create', 'plan']) {
    const result = await box.runtime([command, '--config', '/none.json', '--bundle', box.bundle().directory, 'x']);
    t.match(result, { code: 1, stderr: /JSON specification file \/none.json not found/ });
  }
});

t.test('spec writes limits', { skip }, async (t) => {
  const box = sandbox(t);
  const { stdout } = await box.runtimeOk(['spec', '--memory', '1.5G', '--pids-limit', '20', '--config', '-', 'true']);
  const { linux, process } = JSON.parse(stdout);
  t.match(linux.resources, { memory: { limit: 1.5 * 2 ** 30 }, pids: { limit: 20 }, devices: [{ allow: false }] });
  t.same(process.args, ['true']);
  const wrong = await box.runtime(['spec', '--memory', 'much', '--config', '-']);
  t.equal(wrong.code, 1);
  t.match(wrong.stderr, /--memory: expected a size such as 512M/);
});
