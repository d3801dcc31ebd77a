/** Terminals: `run` and `exec --tty` on a real one (tmux's), whose screen is looked at. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Bundle, requires, runtimePath, type Sandbox, sandbox } from '../harness/index.ts';
import { Screen } from '../harness/screen.ts';

const skip = requires({ root: true, commands: ['tmux'] });

/** A shell in which `rt` calls the runtime. */
function shell(t: Test, box: Sandbox): Screen {
  const rc = join(box.directory, 'rc');
  writeFileSync(rc, `PS1='host> '; rt() { ${runtimePath} --root ${box.root} "$@"; }\n`);
  const screen = new Screen(t, box);
  screen.type(`. ${rc}; clear`);
  return screen;
}

function shellBundle(box: Sandbox, terminal = true): Bundle {
  return box.bundle((spec) => {
    spec.process.args = ['/bin/sh'];
    spec.process.env = ['PATH=/bin', 'PS1=in> '];
    spec.process.terminal = terminal;
  });
}

t.test('a day at the shell: run, resize, ^C, ^Z, ^D, exec', { skip }, async (t) => {
  const box = sandbox(t);
  const screen = shell(t, box);
  const id = box.newId();
  screen.type(`rt run --bundle ${shellBundle(box).directory} ${id}; echo ended with $?`);
  await screen.shows(/^in>/);
  screen.type('stty size; tty');
  await screen.shows(/^24 80$/);
  await screen.shows(/^\/dev\/(console|pts\/0)$/);
  screen.resize(100, 30);
  screen.type('sleep 0.2; stty size');
  await screen.shows(/^30 100$/);
  // The container's shell lives on, its foreground program does not.
  const nap = (word: string) => `sh -c 'echo ${word.slice(0, 2)}""${word.slice(2)}; exec sleep 1000'`;
  screen.type(nap('dozing'));
  await screen.shows(/^dozing$/);
  screen.press('C-c');
  screen.type('echo still he""re');
  await screen.shows(/still here$/);
  screen.type(nap('sleeping'));
  await screen.shows(/^sleeping$/);
  screen.press('C-z');
  await screen.shows(/Stopped/);
  screen.type('kill -9 %1; wait; stty -echo; exit 3');
  await screen.shows(/^ended with 3$/);
  // Raw mode is gone, and with it nothing of the host's echo and line discipline.
  screen.type('stty -a | grep -o " icanon\\| echo " | tr -d "\\n"; echo .');
  await screen.shows(/^ icanon echo \.$/);
});

t.test('exec --tty gives a terminal of its own, and its errors leave the host’s as it was', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = shellBundle(box, false).edit((spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
  });
  const id = await box.create(bundle);
  await box.runtimeOk(['start', id]);
  const screen = shell(t, box);
  screen.type(`rt exec --tty ${id} sh; echo ended with $?`);
  await screen.shows(/^in>/);
  screen.type('tty; stty size');
  await screen.shows(/^\/dev\/pts\/\d+$/);
  await screen.shows(/^24 80$/);
  screen.press('C-d');
  await screen.shows(/^ended with 0$/);
  screen.type(`rt exec -t ${id} no-such-program; echo failed with $?`);
  await screen.shows(/executable file not found/);
  await screen.shows(/^failed with 255$/);
  // The container is killed under the terminal.
  screen.type(`rt exec -t ${id} sh -c 'echo rea""dy; sleep 1000'; echo killed with $?`);
  await screen.shows(/^ready$/);
  await box.runtimeOk(['kill', id, 'KILL']);
  await screen.shows(/^killed with 137$/);
  screen.type('stty -a | grep -o " icanon\\| echo " | tr -d "\\n"; echo .');
  await screen.shows(/^ icanon echo \.$/);
});

t.test(
  'a terminal works with stdin a pipe, whose end ends the input',
  { skip: requires({ root: true }) },
  async (t) => {
    const box = sandbox(t);
    const { stdout, code } = await box.runContainer('cat; echo end; tty', ({ process }) => (process.terminal = true), {
      input: 'line\n',
    });
    t.equal(code, 0);
    t.match(stdout, /line\r\n(line\r\n)?.*end\r\n\/dev\/(console|pts\/0)\r\n$/s);
  },
);

t.test(
  'a terminal and its socket must fit together',
  { skip: requires({ root: true, runtime: ['tsrun', 'runc'] }) },
  async (t) => {
    const box = sandbox(t);
    const create = (bundle: Bundle, ...flags: string[]) =>
      box.runtime(['create', ...flags, '--bundle', bundle.directory, box.newId()]);
    t.match(await create(shellBundle(box)), {
      code: 1,
      stderr: /cannot allocate tty .* without setting console socket/,
    });
    const withSocket = await create(shellBundle(box, false), '--console-socket', join(box.directory, 'none.sock'));
    t.match(withSocket, { code: 1, stderr: /cannot use console socket/ });
  },
);
