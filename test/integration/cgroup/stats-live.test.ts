/** `stats` that keeps running: in a terminal, in a dumb one, and in a pipe. */
import t, { type Test } from 'tap';
import { requires, runtimePath, type Sandbox, sandbox, waitFor } from '../../harness/index.ts';
import { Screen } from '../../harness/screen.ts';

const skip = requires({ root: true, cgroup2: true, runtime: 'tsrun', commands: ['tmux'] });

/** A terminal in which `stats` runs. */
function watched(t: Test, box: Sandbox, term: string): Screen {
  const screen = new Screen(t, box);
  screen.type(`PS1='% '; export TERM=${term}; clear`);
  screen.type(`${runtimePath} --root ${box.root} stats --interval 200ms`);
  return screen;
}

t.test('a terminal shows one table, which is updated', { skip }, async (t) => {
  const box = sandbox(t);
  const { id: first } = await box.idle();
  const screen = watched(t, box, 'xterm');
  await screen.shows(new RegExp(`^${first} .*%`));
  const { id: second } = await box.idle();
  await screen.shows(new RegExp(`^${second} .*%`));
  await box.runtimeOk(['delete', '--force', first]);
  await screen.lacks(new RegExp(`^${first} `));
  await screen.shows(/^ID +CPU +TREND +MEMORY/);
  screen.press('C-c');
  await screen.prompts(/^% $|^%$/);
});

t.test('a terminal that cannot move its cursor gets one table after another', { skip }, async (t) => {
  const box = sandbox(t);
  await box.idle();
  const screen = watched(t, box, 'dumb');
  await waitFor('two tables', () => (screen.count(/^ID +CPU/) > 1 ? true : undefined));
  screen.press('C-c');
  await screen.prompts(/^% $|^%$/);
});

t.test('a pipe gets lines without control codes, and JSON on demand', { skip }, async (t) => {
  const box = sandbox(t);
  const { id } = await box.idle();
  const table = box.startRuntime(['stats', '--interval', '100ms']);
  await waitFor('two tables', () => (table.output.stdout.split(/^ID /m).length > 2 ? true : undefined));
  t.notMatch(table.output.stdout, '\u001b');
  const json = box.startRuntime(['stats', '--format', 'json', '--interval', '100ms']);
  await waitFor('three lines', () => (json.output.stdout.split('\n').length > 3 ? true : undefined));
  for (const line of json.output.stdout.split('\n').slice(0, 3)) t.match(JSON.parse(line), { type: 'stats', id });
});
