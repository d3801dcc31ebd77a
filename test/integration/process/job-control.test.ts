/** Job control: a shell with jobs on a real terminal (tmux's), with and without a terminal of the container's. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Bundle, requires, runtimePath, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';
import { Screen } from '../../harness/screen.ts';

const skip = requires({ root: true, runtime: 'tsrun', commands: ['tmux', 'bash'] });

/** bash as a person has it, with the runtime in $rt. `same` says whether the terminal is what it was at the start. */
async function shell(t: Test, box: Sandbox): Promise<Screen> {
  const rc = join(box.directory, 'rc');
  const lines = [`PS1='host> '`, `rt="${runtimePath} --root ${box.root}"`, 'before=$(stty -g)'];
  const same = `same() { [ "$(stty -g)" = "$before" ] && echo "$1 sa""me" || { stty sane; echo "$1 other"; }; }`;
  writeFileSync(rc, `${[...lines, same].join('\n')}\n`);
  const screen = new Screen(t, box, `bash --noprofile --rcfile ${rc} -i`);
  await screen.prompts(/^host>$/);
  return screen;
}

function bundleOf(box: Sandbox, script: string, terminal: boolean): Bundle {
  return box.bundle(({ process }) => {
    process.args = ['/bin/sh', '-c', script];
    process.env = ['PATH=/bin', 'PS1=in> '];
    process.terminal = terminal;
  });
}

/** A container that sleeps, for exec. */
async function sleeping(box: Sandbox): Promise<string> {
  const id = await box.create(box.bundle(({ process }) => (process.args = ['/bin/sleep', '100000'])));
  await box.runtimeOk(['start', id]);
  return id;
}

const counting = 'trap "echo inter""rupted; exit 4" INT; echo rea""dy; while :; do sleep 0.05; done';

for (const how of ['run', 'exec'] as const) {
  t.test(`${how} without a terminal leaves the caller’s alone: echo, ^C, ^Z, fg, bg, ^D`, { skip }, async (t) => {
    const box = sandbox(t);
    const id = how === 'exec' ? await sleeping(box) : '';
    const command = (script: string) => {
      if (how === 'exec') return `$rt exec ${id} sh -c '${script}'`;
      return `$rt run -b ${bundleOf(box, script, false).directory} ${box.newId()}`;
    };
    const screen = await shell(t, box);
    screen.type(`${command(counting)}; echo ended with $?`);
    await screen.shows(/^ready$/);
    screen.write('echoed');
    await screen.shows(/^echoed/);
    screen.press('C-c');
    await screen.shows(/interrupted$/);
    await screen.prompts(/^host>$/);
    screen.type('same one');
    await screen.shows(/^one same$/);

    screen.type(command('echo pid $$; exec cat'));
    await screen.shows(/^pid \d+$/);
    screen.type('typed');
    await waitFor('the line and its copy', () => (screen.count(/^typed$/) === 2 ? true : undefined));
    screen.press('C-z');
    await screen.shows(/Stopped/);
    screen.type('same two');
    await screen.shows(/^two same$/);
    screen.type('fg');
    screen.type('again');
    await waitFor('the line and its copy', () => (screen.count(/^again$/) === 2 ? true : undefined));
    screen.press('C-d');
    await screen.prompts(/^host>$/);
    screen.type('same three');
    await screen.shows(/^three same$/);

    // In the background from the start; its end is noticed there.
    screen.type(`${command('sleep 0.3; exit 7')} & wait $!; echo background $?`);
    await screen.shows(/^background 7$/);
    screen.type('same four');
    await screen.shows(/^four same$/);
  });

  t.test(`${how} with a terminal ends in the background, and the caller’s stays as it was`, { skip }, async (t) => {
    const box = sandbox(t);
    const id = how === 'exec' ? await sleeping(box) : '';
    const command = (script: string) => {
      if (how === 'exec') return `$rt exec -t -e 'PS1=in> ' ${id} sh -c '${script}'`;
      return `$rt run -b ${bundleOf(box, script, true).directory} ${box.newId()}`;
    };
    const screen = await shell(t, box);
    screen.type(`${command('sleep 0.3; exit 7')} & wait $!; echo background $?`);
    await screen.shows(/^background 7$/);
    screen.type('same one');
    await screen.shows(/^one same$/);
  });
}

t.test('output that nobody reads ends as a broken pipe, and input at its end', { skip }, async (t) => {
  const box = sandbox(t);
  const id = await sleeping(box);
  const screen = await shell(t, box);
  screen.type(`$rt exec -t ${id} yes | head -2; same pipe`);
  await screen.shows(/^pipe same$/);
  t.equal(screen.count(/^y$/), 2);
  screen.type(`$rt run -b ${bundleOf(box, 'exec yes', true).directory} ${box.newId()} | head -1; same run`);
  await screen.shows(/^run same$/);
  for (const input of ['echo "echo fo""und"']) {
    screen.type(`${input} | $rt exec -t ${id} sh; echo input ended $?`);
    await waitFor('the end', () => (screen.count(/^input ended 0$/) > 0 ? true : undefined));
    screen.type('clear; same input');
    await screen.shows(/^input same$/);
  }
});

t.test(
  'carriage returns are as the container’s terminal made them',
  { skip: requires({ root: true, commands: ['script'] }) },
  async (t) => {
    const box = sandbox(t);
    const bundle = bundleOf(box, 'echo a; echo b', true);
    const log = join(box.directory, 'log');
    const command = `${runtimePath} --root ${box.root} run -b ${bundle.directory} ${box.newId()}`;
    await box.startProgram('script', ['-qec', command, log], { input: '' }).done;
    t.match(readFileSync(log, 'latin1'), /\na\r\nb\r\n/);
  },
);
