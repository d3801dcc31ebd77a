/** What the receivers of --console-socket and --pidfd-socket get, and --preserve-fds of exec. */
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cHelper } from '../../harness/c-helper.ts';
import { requires, run, runtimePath, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';

const skip = requires({ root: true, cHelpers: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun', cHelpers: true });

/** Shows that both directions of the terminal work, and prints its size. */
const answer = ['/bin/sh', '-c', 'read line; echo "got $line"; stty size'];
const size = { height: 37, width: 101 };

/** Listens on a socket of its own. */
async function receiver(box: Sandbox, name: string) {
  const socket = join(box.directory, `${name}.sock`);
  const { output, done } = box.startProgram(cHelper('receive-fd'), [socket]);
  await waitFor('the receiver', () => (output.stdout.includes('listening') ? true : undefined));
  const shows = (text: string) => waitFor(text, () => (output.stdout.includes(text) ? true : undefined));
  return { socket, done, shows };
}

/** Callers read 1 to 4095 bytes and take exactly one descriptor. */
const terminalMessage = /^listening\ntext [^\n]{1,4095}\nfds 1\nmore 0\npty 37 101\n/;

t.test('--console-socket of create gets a terminal that works, and nothing else', { skip }, async (t) => {
  const box = sandbox(t);
  const { socket, done, shows } = await receiver(box, 'create');
  const bundle = box.bundle((spec) => {
    Object.assign(spec.process, { args: answer, terminal: true, consoleSize: size });
  });
  const id = await box.create(bundle, ['--console-socket', socket]);
  // The message is complete once create returns: its caller waits for nothing else.
  await shows('pty ');
  await box.runtimeOk(['start', id]);
  const { code, stdout } = await done;
  t.equal(code, 0);
  t.match(stdout, terminalMessage);
  t.match(stdout, /got hello\r\n37 101\r\n$/);
});

t.test('--console-socket of exec does too, with the size of --process', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const { socket, done } = await receiver(box, 'exec');
  const file = join(box.directory, 'process.json');
  const env = ['PATH=/bin'];
  const user = { uid: 0, gid: 0 };
  writeFileSync(file, JSON.stringify({ args: answer, cwd: '/', env, user, terminal: true, consoleSize: size }));
  await box.runtimeOk(['exec', '--detach', '--console-socket', socket, '--process', file, id]);
  const { code, stdout } = await done;
  t.equal(code, 0);
  t.match(stdout, terminalMessage);
  t.match(stdout, /got hello\r\n37 101\r\n$/);
});

t.test('--console-socket with --tty on the command line', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const { socket, done } = await receiver(box, 'tty');
  await box.runtimeOk(['exec', '--detach', '--tty', '--console-socket', socket, id, ...answer]);
  t.match((await done).stdout, /^listening\ntext [^\n]{1,4095}\nfds 1\nmore 0\npty 0 0\n.*got hello\r\n/s);
});

t.test('--pidfd-socket gets a pidfd of the process', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const first = await receiver(box, 'standard');
  const id = await box.create(box.bundle(), ['--pidfd-socket', first.socket]);
  const { pid } = await box.state(id);
  t.equal((await first.done).stdout, `listening\ntext standard\nfds 1\nmore 0\npidfd ${pid}\n`);

  const { id: running } = await box.idle();
  const second = await receiver(box, 'setns');
  const pidFile = join(box.directory, 'pid');
  const flags = ['--detach', '--pid-file', pidFile, '--pidfd-socket', second.socket];
  await box.runtimeOk(['exec', ...flags, running, '/bin/sleep', '1000'], { outputFiles: join(box.directory, 'exec') });
  const execPid = readFileSync(pidFile, 'utf8');
  t.equal((await second.done).stdout, `listening\ntext setns\nfds 1\nmore 0\npidfd ${execPid}\n`);
});

t.test('a socket that nobody listens on fails the command and leaves nothing', { skip: tsrunOnly }, async (t) => {
  const box = sandbox(t);
  const id = box.newId();
  const socket = join(box.directory, 'none.sock');
  const { code, stderr } = await box.runtime(['create', '--pidfd-socket', socket, '-b', box.bundle().directory, id]);
  t.equal(code, 1);
  t.match(stderr, `--pidfd-socket: cannot connect to ${socket}: ENOENT`);
  t.match((await box.runtime(['state', id])).stderr, 'container does not exist');
});

t.test('exec passes --preserve-fds on, and no sockets of socket activation', { skip: tsrunOnly }, async (t) => {
  // As with runc: the sockets are not meant for this process (LISTEN_PID).
  const box = sandbox(t);
  const { id } = await box.idle();
  const path = join(box.directory, 'file');
  writeFileSync(path, 'kept\n');
  const extraFds = [openSync(path, 'r'), openSync(path, 'r')];
  const script = 'cat <&3; ls /proc/$$/fd; env | grep ^LISTEN';
  const exec = [runtimePath, '--root', box.root, 'exec', '--preserve-fds', '1', id, '/bin/sh', '-c', script];
  const { stdout } = await run('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...exec], {
    extraFds,
    env: { PATH: process.env.PATH ?? '', LISTEN_FDS: '2' },
  });
  t.equal(stdout, 'kept\n0\n1\n2\n3\n');
  extraFds.forEach(closeSync);
});
