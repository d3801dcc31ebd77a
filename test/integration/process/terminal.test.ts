/** Terminals: `run` and `exec --tty` in a real one (tmux's), whose screen the test reads. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  type Bundle,
  cHelper,
  requires,
  run,
  runtimePath,
  type Sandbox,
  sandbox,
  says,
  waitFor,
} from '../../harness/index.ts';
import { Screen } from '../../harness/screen.ts';

const skip = requires({ root: true, commands: ['tmux'] });

/** A shell in which `rt` calls the runtime. */
async function shell(t: Test, box: Sandbox): Promise<Screen> {
  const rc = join(box.directory, 'rc');
  writeFileSync(rc, `PS1='host> '; rt() { ${runtimePath} --root ${box.root} "$@"; }\n`);
  const screen = new Screen(t, box);
  screen.type(`. ${rc}; clear`);
  await screen.shows(/^host>$/);
  return screen;
}

function shellBundle(box: Sandbox, terminal = true): Bundle {
  return box.bundle((spec) => {
    spec.process.args = ['/bin/sh'];
    spec.process.env = ['PATH=/bin', 'PS1=in> '];
    spec.process.terminal = terminal;
  });
}

t.test('an interactive session: run, resize, ^C, ^Z, ^D, exec', { skip }, async (t) => {
  const box = sandbox(t);
  const screen = await shell(t, box);
  const id = box.newId();
  screen.type(`rt run --bundle ${shellBundle(box).directory} ${id}; echo ended with $?`);
  await screen.shows(/^in>/);
  screen.type('stty size; tty');
  await screen.shows(/^24 80$/);
  await screen.shows(/^\/dev\/(console|pts\/0)$/);
  screen.resize(100, 30);
  screen.type('until [ "$(stty size)" = "30 100" ]; do sleep 0.1; done; stty size');
  await screen.shows(/^30 100$/);
  // The container's shell survives, its foreground program does not.
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
  // `wait` does not notice a stopped job, and `exit` refuses to leave one.
  screen.type('kill -9 %1; fg; stty -echo; exit 3');
  await screen.shows(/^ended with 3$/);
  // Raw mode is gone, and the host's echo and line discipline are back.
  screen.type('stty -a | grep -o " icanon\\| echo " | tr -d "\\n"; echo .');
  await screen.shows(/^ icanon echo \.$/);
});

t.test('exec --tty gives a terminal of its own, and its errors leave the host’s as it was', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = shellBundle(box, false).edit((spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
  });
  const id = await box.createAndStart(bundle);
  const screen = await shell(t, box);
  screen.type(`rt exec --tty ${id} sh; echo ended with $?`);
  await screen.shows(/^in>/);
  screen.type('tty; stty size');
  await screen.shows(/^\/dev\/pts\/\d+$/);
  await screen.shows(/^24 80$/);
  await screen.prompts(/^in>$/);
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

t.test('alias runc: run, list, ps, pause, exec, kill and delete from one shell', { skip }, async (t) => {
  const box = sandbox(t);
  const quiet = shellBundle(box, false).edit((spec) => {
    spec.process.args = ['/bin/sleep', '100000'];
  });
  const screen = await shell(t, box);
  const say = (line: string, answer: RegExp) => {
    screen.type(line);
    return screen.shows(answer);
  };
  await say(`cd ${quiet.directory} && rt run --detach web; echo detached with $?`, /^detached with 0$/);
  await say('rt list', /^web +\d+ +running /);
  await say('rt ps web', /sleep 100000$/);
  await say('rt pause web; rt list', /^web +\d+ +paused /);
  await say('rt exec web true; echo refused with $?', /^refused with 255$/);
  await say('rt resume web; rt exec -it -e PS1="two> " web sh', /^two>/);
  await say('ls -d /proc/1', /^\/proc\/1/);
  screen.type('exit 4');
  await screen.prompts(/^host>$/);
  await say('echo exec ended with $?', /^exec ended with 4$/);
  await say('rt delete web; echo running: $?', /^running: 1$/);
  await say('rt kill web KILL; until rt list | grep -q stopped; do sleep 0.1; done; rt list', /^web +0 +stopped /);
  await say('rt delete web; echo deleted: $?', /^deleted: 0$/);
  await say('rt list -q | wc -l', /^0$/);
  // The config does not ask for a terminal.
  const talking = shellBundle(box, false);
  await say(`rt run -it --bundle ${talking.directory} talk`, /^in>/);
  await say('[ -t 0 ] && echo on a termi""nal', /^on a terminal$/);
  screen.type('exit');
  await screen.prompts(/^host>$/);
});

t.test('a signal for the runtime goes to the program, and leaves the terminal as it was', { skip }, async (t) => {
  const box = sandbox(t);
  const screen = await shell(t, box);
  for (const [signal, code] of Object.entries({ TERM: 5, HUP: 6, QUIT: 7 })) {
    const bundle = shellBundle(box).edit(({ process }) => {
      process.args = [
        '/bin/sh',
        '-c',
        `trap 'exit ${code}' ${signal}; echo wai""ting for ${signal}; while :; do sleep 0.05; done`,
      ];
    });
    const id = box.newId();
    // The exit code of the runtime itself, not of a shell function.
    screen.type(`${runtimePath} --root ${box.root} run --bundle ${bundle.directory} ${id}; echo ${signal}: $?`);
    await screen.shows(new RegExp(`^waiting for ${signal}$`));
    const pid = await waitFor('the runtime', () => pidOf(id));
    process.kill(pid, `SIG${signal}`);
    await screen.shows(new RegExp(`^${signal}: ${code}$`));
    screen.type(`stty -a | grep -o " icanon\\| echo " | tr -d "\\n"; echo . after ${signal}`);
    await screen.shows(new RegExp(`^ icanon echo \\. after ${signal}$`));
  }
});

/** The pid of the runtime that runs this container in the foreground. */
function pidOf(id: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).find((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.includes('run') && words.includes(id);
    } catch {
      return false;
    }
  });
}

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
    const without = await create(shellBundle(box));
    t.match(without, { code: 1, stderr: /cannot allocate tty .* without setting console socket/ });
    const withSocket = await create(shellBundle(box, false), '--console-socket', join(box.directory, 'none.sock'));
    t.match(withSocket, { code: 1, stderr: /cannot use console socket/ });
    const place = /config\.json:\d+:\d+: \/process\/terminal; hint/;
    for (const { stderr } of [without, withSocket]) says(t, stderr, place);
  },
);

const sized = requires({ root: true, runtime: 'tsrun', cHelpers: true, commands: ['stty'] });

t.test('consoleSize stays where the caller’s terminal has no size', { skip: sized }, async (t) => {
  const box = sandbox(t);
  const process = {
    // Typed text arrives once the runtime has looked at the caller's terminal.
    args: ['/bin/sh', '-c', 'read word; stty size'],
    env: ['PATH=/bin'],
    cwd: '/',
    terminal: true,
    consoleSize: { height: 37, width: 101 },
  };
  const file = join(box.directory, 'process.json');
  writeFileSync(file, JSON.stringify({ ...process, user: { uid: 0, gid: 0 } }));
  const idle = await box.create(box.bundle());
  const { directory } = box.bundle((spec) => Object.assign(spec.process, process));
  const command = [runtimePath, '--root', box.root].join(' ');
  const ways = [() => `run --bundle ${directory} ${box.newId()}`, () => `exec --process ${file} ${idle}`];
  for (const way of ways) {
    const sizeOn = async (rows: number, columns: number) => {
      const script = `stty rows ${rows} cols ${columns}; echo word | ${command} ${way()}`;
      const { stdout } = await run(cHelper('terminal'), ['sh', '-c', script]);
      return stdout.trim().split(/\s*\n/).at(-1);
    };
    t.equal(await sizeOn(0, 0), '37 101', way());
    t.equal(await sizeOn(11, 0), '37 101', 'half a size is none');
    t.equal(await sizeOn(11, 22), '11 22', 'where it has one, it is that');
  }
});
