/** The log at the default level: the warnings that the specification demands, and no noise. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Bundle, requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun' });

const message = /config\.json:\d+:\d+: \/process\/capabilities\/bounding\/\d+: unknown capability \\?"CAP_NOBODY/;

/** A config of many lines, as people write it. */
function odd(box: Sandbox, edit: (spec: Spec) => void = () => undefined): Bundle {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/true'];
    for (const set of ['bounding', 'permitted', 'effective'] as const) {
      spec.process.capabilities?.[set]?.push('CAP_NOBODY');
    }
    edit(spec);
  });
  const file = join(bundle.directory, 'config.json');
  writeFileSync(file, JSON.stringify(JSON.parse(readFileSync(file, 'utf8')), null, 2));
  return bundle;
}

const lines = (text: string) => text.split('\n').filter(Boolean);

t.test('an unknown capability is reported once, with its place', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = odd(box);
  const { code, stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 0);
  t.equal(lines(stderr).length, 1, stderr);
  t.match(stderr, /^time=\S+ level=warning msg=/);
  t.match(stderr, message);
  const [, line = 0, column = 0] = /config\.json:(\d+):(\d+)/.exec(stderr) ?? [];
  const text = readFileSync(join(bundle.directory, 'config.json'), 'utf8').split('\n')[Number(line) - 1] ?? '';
  t.match(text.slice(Number(column) - 1), /^"CAP_NOBODY"/);

  const plan = await box.runtime(['plan', '--bundle', bundle.directory]);
  t.equal(lines(plan.stdout + plan.stderr).filter((each) => each.includes('CAP_NOBODY')).length, 1);
});

t.test('a text log has the warning in place of stderr', { skip }, async (t) => {
  const box = sandbox(t);
  const log = join(box.directory, 'log');
  const args = ['run', '--bundle', odd(box).directory, box.newId()];
  t.match(await box.runtime(['--log', log, ...args]), { code: 0, stderr: '' });
  t.match(readFileSync(log, 'utf8'), message);
});

t.test('with the level error there is no warning', { skip }, async (t) => {
  const box = sandbox(t);
  const log = join(box.directory, 'log');
  const args = ['--log-level', 'error', 'run', '--bundle', odd(box).directory];
  t.match(await box.runtime([...args, box.newId()]), { code: 0, stderr: '' });
  t.match(await box.runtime(['--log', log, '--log-format', 'json', ...args, box.newId()]), { code: 0, stderr: '' });
  t.equal(readFileSync(log, 'utf8'), '');
});

t.test('a JSON log of a command that fails is one object, which podman reads', { skip }, async (t) => {
  const box = sandbox(t);
  const globals = (file: string) => ['--log', join(box.directory, file), '--log-format', 'json'];
  const good = odd(box);
  const missing = odd(box, (spec) => {
    spec.process.args = ['/missing'];
  });
  t.match(await box.runtime([...globals('good'), 'run', '--bundle', good.directory, box.newId()]), {
    code: 0,
    stderr: '',
  });
  t.match(JSON.parse(readFileSync(join(box.directory, 'good'), 'utf8')), { level: 'warning', msg: message });

  t.match(await box.runtime([...globals('bad'), 'run', '--bundle', missing.directory, box.newId()]), { code: 1 });
  const read = () => JSON.parse(readFileSync(join(box.directory, 'bad'), 'utf8'));
  t.match(read(), { level: 'error', msg: /"\/missing": no such file or directory/ });

  // If asked for, they come at once.
  const asked = [...globals('asked'), '--log-level', 'warning', 'run', '--bundle', missing.directory, box.newId()];
  t.match(await box.runtime(asked), { code: 1 });
  t.match(
    lines(readFileSync(join(box.directory, 'asked'), 'utf8')).map((line) => JSON.parse(line).level),
    ['warning', 'error'],
  );
});

t.test('a JSON log of run has the warnings while the container still runs', { skip }, async (t) => {
  const box = sandbox(t);
  const log = join(box.directory, 'log');
  const bundle = odd(box, (spec) => {
    spec.process.args = ['/bin/sh', '-c', 'until [ -s /seen ]; do :; done; cat /seen'];
    spec.mounts.push({ destination: '/seen', type: 'bind', source: log, options: ['bind', 'ro'] });
  });
  writeFileSync(log, '');
  const globals = ['--log', log, '--log-format', 'json'];
  const { code, stdout } = await box.runtime([...globals, 'run', '--bundle', bundle.directory, box.newId()]);
  t.equal(code, 0);
  t.match(stdout, 'CAP_NOBODY');
});

t.test('exec warns about its own process, and commands that only look do not warn', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = odd(box, (spec) => {
    spec.process.args = ['/bin/sleep', '1000'];
  });
  const id = await box.createAndStart(bundle);
  const file = join(box.directory, 'process.json');
  const process = {
    cwd: '/',
    args: ['/bin/true'],
    capabilities: { bounding: ['CAP_NOBODY'], ambient: ['CAP_NOBODY'] },
  };
  writeFileSync(file, JSON.stringify(process));
  const { code, stderr } = await box.runtime(['exec', '--process', file, id]);
  t.equal(code, 0);
  t.equal(lines(stderr).length, 1, stderr);
  t.match(stderr, /process\.json:1:\d+: \/capabilities\/bounding\/0: unknown capability/);
  for (const command of [['state', id], ['ps', id], ['list'], ['list', '-q'], ['features'], ['kill', id, '0']]) {
    t.equal((await box.runtime(command)).stderr, '', command.join(' '));
  }
});

t.test('one line for all that crun spec writes, none for podman’s and docker’s habits', { skip }, async (t) => {
  const box = sandbox(t);
  const three = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
  const stderrOf = async (edit: (spec: Spec) => void) => {
    const bundle = box.bundle((spec) => {
      spec.process.args = ['/bin/true'];
      edit(spec);
    });
    const result = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    t.equal(result.code, 0, result.stderr);
    return result.stderr;
  };
  const ofCrun = await stderrOf((spec) => {
    const [bounding, effective, permitted, ambient] = [three, three, three, three];
    spec.process.capabilities = { bounding, effective, permitted, inheritable: [], ambient };
  });
  t.equal(lines(ofCrun).length, 1, ofCrun);
  t.match(ofCrun, /CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE are not in .*inheritable/);
  const ofEngines = await stderrOf((spec) => {
    // docker passes on its caller's terminal size; podman --privileged lists the host's nodes, some of which are the
    // same device.
    spec.process.consoleSize = { height: 24, width: 80 };
    spec.linux.devices = [
      { path: '/dev/one', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
      { path: '/dev/two', type: 'c', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0 },
    ];
  });
  t.equal(ofEngines, '');
});
