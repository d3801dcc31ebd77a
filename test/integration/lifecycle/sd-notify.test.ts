/** sd_notify: what a service manager gets from a container, and what the container sees. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { addCHelper, cHelper } from '../../harness/c-helper.ts';
import {
  type Bundle,
  inUserNamespace,
  type Running,
  requires,
  type Sandbox,
  sandbox,
  waitFor,
} from '../../harness/index.ts';

const skip = requires({ root: true, runtime: 'tsrun', cHelpers: true });

/** A service manager of our own, which prints what it gets. */
async function manager(box: Sandbox) {
  const socket = join(box.directory, 'manager.sock');
  const { output } = box.startProgram(cHelper('notify'), ['listen', socket]);
  await waitFor('the manager', () => (output.stdout.includes('listening') ? true : undefined));
  return { output, env: { PATH: process.env.PATH ?? '', NOTIFY_SOCKET: socket } };
}

/** A message may still be on its way here after the command that sent it has ended. */
async function heard(t: Test, output: Running['output'], words: string | RegExp): Promise<void> {
  const has = (text: string) => (typeof words === 'string' ? text.length >= words.length : words.test(text));
  await waitFor(`the manager to hear ${words}`, () => (has(output.stdout) ? true : undefined)).catch(() => {});
  if (typeof words === 'string') t.equal(output.stdout, words);
  else t.match(output.stdout, words);
}

function speaker(box: Sandbox, script: string): Bundle {
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', script];
    // Not root, because everybody in the container may use the socket.
    spec.process.user = { uid: 1234, gid: 1234 };
  });
  addCHelper(bundle, 'notify');
  return bundle;
}

t.test('start waits for READY=1 and sends the pid on the host', { skip }, async (t) => {
  const box = sandbox(t);
  const { output, env } = await manager(box);
  const id = box.newId();
  // Nobody may read what follows READY=1, because start ends then.
  const bundle = speaker(box, 'notify send "STATUS=x"; notify send "READY=1"; exec sleep 1000');
  const outputFiles = join(box.directory, 'out');
  await box.runtimeOk(['create', '--bundle', bundle.directory, id], { env, outputFiles });
  t.equal(output.stdout, 'listening\n');
  await box.runtimeOk(['start', id], { env });
  const { pid } = await box.state(id);
  // Messages before READY=1 are passed on as well.
  await heard(t, output, `listening\n<STATUS=x\n>\n<READY=1\nMAINPID=${pid}\n>\n<BARRIER=1>\n`);
});

t.test('a container with a user namespace reaches its socket, too', { skip }, async (t) => {
  const box = sandbox(t);
  const { output, env } = await manager(box);
  const bundle = speaker(box, 'notify send "READY=1"').edit((spec) => {
    inUserNamespace(spec);
    spec.process.user = { uid: 0, gid: 0 };
  });
  bundle.edit(() => mkdirSync(join(bundle.rootfs, 'run/notify'), { recursive: true }));
  const { stderr, code } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()], { env });
  t.equal(code, 0, stderr);
  await heard(t, output, /<READY=1\nMAINPID=\d+\n>/);
});

t.test('run in the foreground passes on the messages of a container that ends soon', { skip }, async (t) => {
  const box = sandbox(t);
  const { output, env } = await manager(box);
  const bundle = speaker(box, 'echo $NOTIFY_SOCKET; notify send "READY=1"; exit 7');
  const { code, stdout } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()], { env });
  t.equal(code, 7);
  t.equal(stdout, '/run/notify/notify.sock\ntaken in\n');
  await heard(t, output, /^listening\n<READY=1\nMAINPID=\d+\n>\n<BARRIER=1>\n$/);
});

t.test('run in the foreground passes on what any service may say, and nothing of processes', { skip }, async (t) => {
  const box = sandbox(t);
  const { output, env } = await manager(box);
  const said = [
    'RELOADING=1\\nMONOTONIC_USEC=5',
    'STATUS=b',
    'MAINPID=1',
    'FDSTORE=1',
    'NOTIFYACCESS=all',
    'WATCHDOG=1',
  ];
  const script = [...said, 'STOPPING=1\\nMAINPID=1\\nERRNO=2']
    .map((text) => `notify send "$(printf '${text}')"`)
    .join(';');
  const bundle = speaker(box, script);
  const { code } = await box.runtime(['run', '--bundle', bundle.directory, box.newId()], { env });
  t.equal(code, 0);
  const expected = ['RELOADING=1\nMONOTONIC_USEC=5', 'STATUS=b', 'WATCHDOG=1', 'STOPPING=1\nERRNO=2'];
  await heard(t, output, `listening\n${expected.map((text) => `<${text}\n>\n`).join('')}`);
});

t.test('run --detach returns if a container ends without READY=1', { skip }, async (t) => {
  const box = sandbox(t);
  const { output, env } = await manager(box);
  const bundle = speaker(box, 'exit 0');
  const outputFiles = join(box.directory, 'out');
  await box.runtimeOk(['run', '--detach', '--bundle', bundle.directory, box.newId()], { env, outputFiles });
  t.equal(output.stdout, 'listening\n');
});

t.test('there is a warning about a missing manager; without one there is no socket', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/sh', '-c', 'echo "[$NOTIFY_SOCKET]"'];
  });
  const env = { PATH: process.env.PATH ?? '', NOTIFY_SOCKET: join(box.directory, 'none.sock') };
  const run = (vars: Record<string, string>) =>
    box.runtime(['--log-level', 'warning', 'run', '--bundle', bundle.directory, box.newId()], { env: vars });
  const without = await run({ PATH: env.PATH });
  t.equal(without.stdout, '[]\n');
  t.notOk(bundle.has('/run/notify'));
  const warned = await run(env);
  t.equal(warned.code, 0);
  t.match(warned.stderr, /NOTIFY_SOCKET .*none\.sock: cannot connect: ENOENT/);
});
