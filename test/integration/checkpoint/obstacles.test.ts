/** `checkpoint --check`: its report, and that CRIU agrees. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Checkpoints } from '../../harness/checkpointed.ts';
import { criuForTests } from '../../harness/criu.ts';
import { addCHelper, requires, sandbox, waitFor } from '../../harness/index.ts';

t.setTimeout(30 * 60 * 1000);
const criu = await criuForTests();
const skip = requires({ runtime: 'tsrun' }) || criu.skip;

interface Report {
  ok: boolean;
  id: string;
  errors: { rule: string; message: string; hint?: string; pid?: number }[];
  warnings: { rule: string; message: string }[];
}

/** The report, whose exit code must be that of its `ok`. */
async function check(t: Test, at: Checkpoints, id: string, flags: string[] = []): Promise<Report> {
  const { code, stdout, stderr } = await at.runtime(['checkpoint', '--check', '--format', 'json', ...flags, id]);
  t.equal(stderr, '');
  const report: Report = JSON.parse(stdout);
  t.match({ code, id: report.id }, { code: report.ok ? 0 : 1, id });
  return report;
}

const rules = ({ errors }: Report) => errors.map(({ rule }) => rule).sort();

t.test('nothing in the way: it says so, and a checkpoint works', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.bundle();
  const id = await at.start(bundle);
  t.match(await check(t, at, id), { ok: true, errors: [], warnings: [] });
  const { stdout } = await at.runtime(['checkpoint', '--check', '--image-path', at.images(), id]);
  t.equal(stdout, `${id}: nothing found that CRIU could not save\n`);
  t.notOk(existsSync(at.images()), 'no directory is made');
  await at.checkpoint(id);
});

t.test('an open connection, with the flags that help', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const id = await at.start(at.bundle(undefined, ['tcp']));
  const { pid } = await at.box.state(id);
  const report = await check(t, at, id);
  // Both ends belong to the container.
  t.same(rules(report), ['tcp-established', 'tcp-established']);
  t.match(report.errors[0], { pid, hint: /--tcp-established keeps it, --tcp-close/ });
  t.match(
    report.errors[0]?.message,
    /process \d+ \(witness\), descriptor \d+: an open TCP connection, port \d+ to port/,
  );
  for (const flag of ['--tcp-established', '--tcp-close']) t.same(rules(await check(t, at, id, [flag])), [], flag);
});

t.test('what several processes have open is reported once', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.box.bundle((spec) => {
    // These descriptors are inherited by both children.
    const script =
      'exec 8>/one 9>/two; ln /one /1; ln /two /2; rm /one /two; sleep 1000 & sleep 1000 & : > /ready; wait';
    spec.process.args = ['/bin/sh', '-c', script];
  });
  const id = await at.create(bundle);
  await at.box.runtimeOk(['start', id]);
  await waitFor('the program', () => bundle.has('ready') || undefined);
  const { errors } = await check(t, at, id);
  const files = errors.map(({ rule, message }) => `${rule}: ${message.replace(/^.*: (\S+) .*/, '$1')}`);
  t.same(files.sort(), ['removed-file: /one', 'removed-file: /two']);
  t.same(Object.keys(errors[0] ?? {}).sort(), ['hint', 'message', 'pid', 'rule']);
});

t.test('connections that are not made or not accepted yet, with the flag that helps', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.box.bundle((spec) => {
    spec.process.args = ['/bin/obstacles', 'connecting'];
  });
  addCHelper(bundle, 'obstacles');
  const id = await at.create(bundle);
  await at.box.runtimeOk(['start', id]);
  await waitFor('the program', () => existsSync(join(bundle.rootfs, 'ready')) || undefined);
  const { errors } = await check(t, at, id);
  const said = errors.map(({ rule, message }) => `${rule}: ${message.replace(/^.*descriptor \d+: /, '')}`).sort();
  t.match(said[0], /^tcp-in-flight: TCP connections that it has not accepted, port \d+$/);
  t.match(said[1], /^tcp-in-flight: a TCP connection is just being made, port \d+ to port \d+$/);
  t.same(rules(await check(t, at, id, ['--tcp-skip-in-flight'])), []);
});

t.test('a process of exec is named: CRIU leaves it out without a word', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const id = await at.start(at.bundle());
  const pidFile = join(at.box.directory, 'pid');
  const outputFiles = join(at.box.directory, 'exec');
  await at.box.runtimeOk(['exec', '--detach', '--pid-file', pidFile, id, '/bin/sleep', '1000'], { outputFiles });
  const pid = Number(readFileSync(pidFile, 'utf8'));
  t.match((await check(t, at, id)).errors, [{ rule: 'exec-process', pid, message: /exec has started it/ }]);
});

t.test('devices, io_uring, locks, removed files, nested namespaces; and CRIU fails', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const bundle = at.box.bundle((spec) => {
    spec.process.args = ['/bin/obstacles'];
    for (const set of Object.values(spec.process.capabilities ?? {})) set.push('CAP_SYS_ADMIN');
    spec.linux.devices = [{ path: '/dev/obstacle', type: 'c', major: 10, minor: 229 }];
    spec.linux.resources = { devices: [{ allow: true, access: 'rwm' }] };
    delete spec.linux.seccomp;
  });
  addCHelper(bundle, 'obstacles');
  const id = await at.create(bundle);
  await at.box.runtimeOk(['start', id]);
  const ready = join(bundle.rootfs, 'ready');
  await waitFor('the program', () => existsSync(ready) || undefined);
  // Not every kernel has all of them.
  const has = readFileSync(ready, 'utf8').trim().split('\n');
  t.comment(has.join(', '));
  const wanted = has.map((name) => (name === 'large-file' ? 'removed-file' : name)).sort();
  const report = await check(t, at, id);
  // Its child has copies of all open files.
  t.same([...new Set(rules(report))], [...new Set(wanted)]);
  const hints = report.errors.map(({ hint }) => hint).join('\n');
  for (const help of ['--file-locks', '--link-remap', 'ghost-limit 2097152']) t.match(hints, help);
  const withFlags = rules(await check(t, at, id, ['--file-locks', '--link-remap']));
  t.notOk(withFlags.includes('file-lock'));
  const { code } = await at.runtime(['checkpoint', '--network-lock', 'skip', '--image-path', at.images(), id]);
  t.equal(code, 1);
  t.equal((await at.box.state(id)).status, 'running');
});

t.test('without criu; what the kernel lacks; a container that does not run', { skip }, async (t) => {
  const at = new Checkpoints(sandbox(t), criu);
  const id = await at.create(at.bundle());
  const line = ['checkpoint', '--check', id];
  t.match((await at.runtime(line)).stderr, /cannot be checkpointed in created state \(hint: start it first\)/);
  await at.box.runtimeOk(['start', id]);
  t.match(await at.runtime(['checkpoint', '--format', 'json', id]), { code: 1, stderr: /--format is for --check/ });
  t.match(await at.box.state(id), { status: 'running' }, 'it has not been checkpointed');
  const none = await at.box.runtime(line, { env: { ...at.env, PATH: '/nowhere' } });
  t.match(none, { code: 1, stdout: /^error: checkpoint and restore need criu.*\(install the package criu/ });
  const tracking = rules(await check(t, at, id, ['--pre-dump']));
  const dumped = await at.runtime([
    'checkpoint',
    '--pre-dump',
    '--network-lock',
    'skip',
    '--image-path',
    at.images(),
    id,
  ]);
  t.equal(dumped.code, tracking.length === 0 ? 0 : 1, 'a pre-dump works where the check says so');
});
