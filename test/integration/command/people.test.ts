/** What is printed to a terminal for people, and that programs get what they always got. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { atTerminal, requires, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun', commands: ['script'] });

t.test('an error is short, with its line of the config and a mark', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(({ process }) => (process.args = ['no-such-program']));
  for (const command of ['run', 'create']) {
    const { code, shown } = await atTerminal(box, bundle.directory, `${command} ${box.newId()}`);
    t.equal(code, 1);
    const lines = shown.trimEnd().split('\n');
    t.equal(lines[0], 'error: exec: "no-such-program": executable file not found in $PATH');
    t.match(lines[1], /^ +--> config\.json:\d+:\d+$/);
    t.match(lines[2], /^\d+ \| +"no-such-program"$/);
    t.equal(lines[3]?.trimEnd().length, lines[2]?.length, 'the mark ends where the value does');
    t.match(lines[3], / \^{17}$/);
    t.match(lines[4], /^hint: /);
    t.equal(lines.length, 5, shown);
  }
});

t.test('all mistakes of a config; text that is not JSON', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.cwd = 'relative';
    spec.hostname = '';
    spec.process.rlimits = [{ type: 'RLIMIT_CORE', soft: 2, hard: 1 }];
  });
  for (const command of ['run c', 'check']) {
    const { code, shown } = await atTerminal(box, bundle.directory, command);
    t.equal(code, 1);
    t.match(
      shown,
      /^error: \/process\/cwd: must be an absolute path.*\n +--> config\.json:\d+:\d+\n\d+ \| +"cwd": "relative",?\n +\| +\^{10}\n/m,
    );
    t.match(shown, /^error: \/process\/rlimits\/0/m);
  }
  writeFileSync(join(bundle.directory, 'config.json'), '{\n\t"a": tru\n}');
  const { shown } = await atTerminal(box, bundle.directory, 'run c');
  t.match(shown, /^error: .*\n --> config\.json:2:\d\n2 \| {2}"a": tru\n/);
});

t.test('a long line is cut around the place', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(() => undefined);
  const long = 'x'.repeat(5000);
  writeFileSync(
    join(bundle.directory, 'config.json'),
    `{"annotations": {"a": "${long}"}, "ociVersion": 5, "b": "${long}"}`,
  );
  const { shown } = await atTerminal(box, bundle.directory, 'run c');
  t.match(shown, /^1 \| ….*"ociVersion": 5, "b": .*…$/m);
  t.ok(
    shown.split('\n').every((line) => line.length < 100),
    shown,
  );
});

t.test('warnings are shown with their line, and without control characters', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
    spec.process.capabilities?.bounding?.push('CAP_\u001b[31mNOBODY');
    spec.hooks = { poststop: [{ path: '/no/such/hook' }] };
  });
  const { code, shown } = await atTerminal(box, bundle.directory, `run ${box.newId()}`);
  t.equal(code, 0);
  t.match(
    shown,
    /^warning: \/process\/capabilities\/bounding\/\d+: unknown capability.*\n +--> config\.json:\d+:\d+\n/m,
  );
  t.match(shown, /^warning: error running poststop hook #0: .*\n +--> config\.json:\d+:\d+\n\d+ \| .*\n.*\^\nhint: /m);
  t.notOk(shown.includes('\u001b'));
});

t.test('a profile that denies less than it says, compiled and cached', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
    spec.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['unshre'], action: 'SCMP_ACT_ERRNO' }],
    };
  });
  for (const _ of ['compiled', 'cached']) {
    const { code, shown } = await atTerminal(box, bundle.directory, `run ${box.newId()}`);
    t.equal(code, 0);
    t.match(shown, /^warning: \/linux\/seccomp\/syscalls: the profile denies nothing/m);
    t.match(
      shown,
      /^warning: \/linux\/seccomp\/syscalls\/0\/names\/0: .*"unshre", so it is not denied\n +--> config\.json:\d+:\d+\n\d+ \| +"unshre"\n +\| +\^{8}\nhint: did you mean "unshare"\?/m,
    );
    const { stderr } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()]);
    t.match(
      stderr,
      /level=warning msg="\S+config\.json:\d+:\d+: \/linux\/seccomp\/syscalls\/0\/names\/0: .*did you mean/,
    );
  }
});

t.test('an unknown name in an allow list is reported only to people', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['true'];
    const names = ['opennat', 'newer_than_all'];
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_LOG', syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }] };
  });
  const { shown } = await atTerminal(box, bundle.directory, `run ${box.newId()}`);
  t.match(shown, /^warning: .*"opennat", so the entry does nothing for it \(and 1 more: see tsrun check\)\n/m);
  t.equal((await box.runtime(['run', '--bundle', bundle.directory, box.newId()])).stderr, '');
});

t.test('colours, unless NO_COLOR or a dumb terminal forbids them', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(() => undefined);
  const coloured = async (env: Record<string, string>) =>
    (await atTerminal(box, bundle.directory, 'state nobody', env)).shown.includes('\u001b[31m');
  t.ok(await coloured({ NO_COLOR: '' }));
  t.notOk(await coloured({}));
  t.notOk(await coloured({ NO_COLOR: '', TERM: 'dumb' }));
});

t.test('with --log or --log-format json the output is for programs, also in a terminal', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle(() => undefined);
  const logged = await atTerminal(box, bundle.directory, `--log ${join(box.directory, 'log')} state nobody`);
  t.match(logged.shown, /^container does not exist/);
  t.match((await atTerminal(box, bundle.directory, '--log-format json state nobody')).shown, /^\{"level":"error"/);
  t.match((await box.runtime(['state', 'nobody'])).stderr, /^time="\S+" level=error msg="container does not exist/);
});
