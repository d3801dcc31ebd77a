/**
 * Who owns the standard streams: a program that is not root can write to /dev/stdout and /dev/stderr only as their
 * owner.
 */
import { closeSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { inUserNamespace, requires, run, runtimePath, type Sandbox, sandbox } from '../../harness/index.ts';
import type { Spec } from '../../harness/spec.ts';

const skip = requires({ root: true });
const skipUserns = requires({ root: true, userns: true, runtime: 'tsrun' });

const script = 'echo to stdout > /dev/stdout; echo to stderr > /dev/stderr; cat /dev/stdin';

function asUser(spec: Spec): void {
  spec.process.user = { uid: 1234, gid: 1234 };
}

/** Calls the runtime from a shell on the host; `line` is the script, and "$@" in it the call. */
function byShell(box: Sandbox, line: string, call: string[]) {
  return run('/bin/sh', ['-c', line, 'sh', runtimePath, '--root', box.root, ...call], {});
}

/** Pipes, as conmon and containerd's shim use; Node would make sockets, which cannot be opened. */
const piped = `echo from stdin | "$@" 2>&1 | cat`;
const all = 'to stdout\nto stderr\nfrom stdin\n';

function bundleOf(box: Sandbox, script: string, edit: (spec: Spec) => void = asUser) {
  return box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    edit(spec);
  });
}

t.test('a program of another user can open the pipes of its caller again', { skip }, async (t) => {
  const box = sandbox(t);
  const { directory } = bundleOf(box, script);
  t.match(await byShell(box, piped, ['run', '--bundle', directory, box.newId()]), { stdout: all, stderr: '' });
});

t.test('a process of exec can open them again, too', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await box.createAndStart(bundleOf(box, 'exec sleep 100000'));
  t.match(await byShell(box, piped, ['exec', '--user', '1234', id, '/bin/sh', '-c', script]), {
    stdout: all,
    stderr: '',
  });
});

t.test('in a user namespace it can, too', { skip: skipUserns }, async (t) => {
  const box = sandbox(t);
  for (const uid of [0, 1234]) {
    const { directory } = bundleOf(box, script, (spec) => {
      inUserNamespace(spec);
      spec.process.user = { uid, gid: 0 };
    });
    t.match(await byShell(box, piped, ['run', '--bundle', directory, box.newId()]), { stdout: all, stderr: '' });
  }
});

/** Runs the script with its streams redirected. */
function redirected(box: Sandbox, script: string, redirections: string) {
  return byShell(box, `"$@" ${redirections}`, ['run', '--bundle', bundleOf(box, script).directory, box.newId()]);
}

/** runc's run puts pipes of its own in between; its create passes the streams through. */
const streamsPassThrough = requires({ root: true, runtime: ['tsrun', 'crun'] });

t.test('the program owns an output file that the caller made', { skip: streamsPassThrough }, async (t) => {
  const box = sandbox(t);
  const file = join(box.directory, 'out.log');
  const { code, stderr } = await redirected(box, 'echo to stdout > /dev/stdout', `> ${file}`);
  t.equal(code, 0, stderr);
  t.equal(statSync(file).uid, 1234);
});

t.test('other files keep their owner', { skip: requires({ root: true, runtime: 'tsrun' }) }, async (t) => {
  const box = sandbox(t);
  const [input, foreign] = [join(box.directory, 'in'), join(box.directory, 'foreign')];
  writeFileSync(input, 'x\n', { mode: 0o600 });
  closeSync(openSync(foreign, 'w'));
  await run('chown', ['4321', foreign], {});
  const { code, stdout } = await redirected(box, 'cat; echo to stderr >&2', `< ${input} 2>> ${foreign}`);
  t.match({ code, stdout }, { code: 0, stdout: 'x\n' });
  t.equal(statSync(input).uid, 0);
  t.equal(statSync(foreign).uid, 4321);
});

t.test('devices of the host keep their owner', { skip }, async (t) => {
  const box = sandbox(t);
  const { code } = await redirected(box, 'echo x', '< /dev/null > /dev/null');
  t.equal(code, 0);
  t.equal(statSync('/dev/null').uid, 0);
});
