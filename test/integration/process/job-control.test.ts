/** Job control: a shell with jobs in a real terminal (tmux's), with and without a terminal of the container's own. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Bundle, requires, runtimePath, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';
import { Screen } from '../../harness/screen.ts';

const skip = requires({ root: true, runtime: 'tsrun', commands: ['tmux', 'bash'] });

/** An interactive bash, with the runtime in $rt. `same` prints whether the terminal has the settings of the start. */
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

const counting = 'trap "echo inter""rupted; exit 4" INT; echo rea""dy; while :; do sleep 0.05; done';

for (const how of ['run', 'exec'] as const) {
  t.test(`${how} without a terminal leaves the caller’s alone: echo, ^C, ^Z, fg, bg, ^D`, { skip }, async (t) => {
    const box = sandbox(t);
    const id = how === 'exec' ? (await box.idle()).id : '';
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
    // bash reads without echo until it has given the terminal away, so the first line may appear only once.
    await waitFor('lines and their copies', () => {
      screen.type('again');
      return screen.count(/^again$/) >= 4 ? true : undefined;
    });
    screen.press('C-d');
    await screen.prompts(/^host>$/);
    screen.type('same three');
    await screen.shows(/^three same$/);

    // In the background from the start, where its end is noticed, too.
    screen.type(`${command('sleep 0.3; exit 7')} & wait $!; echo background $?`);
    await screen.shows(/^background 7$/);
    screen.type('same four');
    await screen.shows(/^four same$/);
  });

  t.test(`${how} with a terminal ends in the background, and the caller’s stays as it was`, { skip }, async (t) => {
    const box = sandbox(t);
    const id = how === 'exec' ? (await box.idle()).id : '';
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

/** A shell that does not edit lines, and so asks the terminal nothing: bash would take the answers for typed text. */
const prompting = 'while printf "in> "; read -r line; do eval "$line"; done';

/** The pid of the one process whose command line matches. */
function theOnly(pattern: string): number {
  const pids = execFileSync('pgrep', ['-f', pattern], { encoding: 'utf8' }).trim().split('\n');
  if (pids.length !== 1) throw new Error(`${pattern} is the command line of ${pids.length} processes`);
  return Number(pids[0]);
}

for (const how of ['run', 'exec'] as const) {
  const command = (box: Sandbox, id: string, script: string) => {
    if (how === 'exec') return `$rt exec -t -e 'PS1=in> ' ${id} sh -c '${script}'`;
    return `$rt run -b ${bundleOf(box, script, true).directory} ${box.newId()}`;
  };

  t.test(
    `${how} with a terminal from the background: fg, a new size, a stop from outside, the end`,
    { skip },
    async (t) => {
      const box = sandbox(t);
      const id = how === 'exec' ? (await box.idle()).id : '';
      const screen = await shell(t, box);
      screen.type(`${command(box, id, prompting)} &`);
      await screen.shows(/^\[1\] \d+$/);
      screen.type('fg');
      // Its first prompt comes after bash's on the same line, and what is typed while the terminal changes hands may be
      // lost.
      await waitFor('the container’s prompt on a line of its own', () => {
        screen.press('Enter');
        return screen.count(/^in>$/) > 0 ? true : undefined;
      });
      screen.resize(100, 30);
      screen.type('stty size');
      await screen.shows(/^\d+ \d+$/);
      await waitFor('the new size', () => {
        screen.type('stty size');
        return screen.count(/^30 100$/) > 0 ? true : undefined;
      });

      // Ctrl-Z is for the container; to stop tsrun itself, one sends the signal from elsewhere.
      process.kill(theOnly(`tsrun.* --root ${box.root} ${how}`), 'SIGTSTP');
      await screen.shows(/Stopped/);
      screen.type('same stopped');
      await screen.shows(/^stopped same$/);
      screen.resize(90, 28);
      screen.type('fg');
      await waitFor('the size of meanwhile', () => {
        screen.type('stty size');
        return screen.count(/^28 90$/) > 0 ? true : undefined;
      });
      screen.type('exit 3');
      await screen.prompts(/^host>$/);
      screen.type('echo code $?; same end');
      await screen.shows(/^code 3$/);
      await screen.shows(/^end same$/);
    },
  );

  t.test(`${how} with a terminal whose process is killed, and whose terminal hangs up`, { skip }, async (t) => {
    const box = sandbox(t);
    const id = how === 'exec' ? (await box.idle()).id : '';
    const screen = await shell(t, box);
    screen.type(command(box, id, 'echo go""ing; exec sleep 98764'));
    await screen.shows(/^going/);
    process.kill(theOnly('^sleep 98764$'), 'SIGKILL');
    await screen.prompts(/^host>$/);
    screen.type('echo code $?; same killed');
    await screen.shows(/^killed same$/);

    // SIGHUP does not end process 1 of a pid namespace, but its input ends.
    screen.type(command(box, id, 'echo rea""dy; exec cat'));
    await screen.shows(/^ready$/);
    screen.hangUp();
    await waitFor('what ran on it to end', () => {
      const { status } = spawnSync('pgrep', ['-f', `tsrun.* --root ${box.root} ${how}`]);
      return status === 1 ? true : undefined;
    });
  });
}

t.test('output that nobody reads ends as a broken pipe, and input at its end', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const screen = await shell(t, box);
  screen.type(`$rt exec -t ${id} yes | head -2; same pipe`);
  await screen.shows(/^pipe same$/);
  t.equal(screen.count(/^y$/), 2);
  screen.type(`$rt run -b ${bundleOf(box, 'exec yes', true).directory} ${box.newId()} | head -1; same run`);
  await screen.shows(/^run same$/);
  // Not on the screen: bash would take the terminal's answers to a line editor's questions for typed text. If a line
  // has begun, a line editor takes the end for a key, as from a person; a program that lets the terminal make lines
  // gets the rest of the line.
  const ending: [string, string][] = [
    ['echo "echo fo""und"', 'sh'],
    ['true', 'sh'],
    ['printf "with no new""line"', 'cat'],
  ];
  for (const [index, [input, program]] of ending.entries()) {
    screen.type(`${input} | $rt exec -t ${id} ${program} >/dev/null; echo; echo input ${index} ended; same ${index}`);
    await screen.shows(new RegExp(`^input ${index} ended$`));
    await screen.shows(new RegExp(`^${index} same$`));
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
    // Without a terminal of its own, script types a NUL at the end of its input, which the container's terminal shows.
    t.match(readFileSync(log, 'latin1').replaceAll('^@', ''), /\na\r\nb\r\n/);
  },
);
