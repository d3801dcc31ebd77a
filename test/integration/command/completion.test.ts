/** `tsrun completion`: the shells themselves run the scripts. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { repoRoot, requires, run, runtimePath, type Sandbox, sandbox } from '../../harness/index.ts';
import { Screen } from '../../harness/screen.ts';

const skipFish = requires({ runtime: 'tsrun', root: true, commands: ['fish'] });
const skipZsh = requires({ runtime: 'tsrun', root: true, commands: ['zsh', 'tmux'] });
const path = `${dirname(runtimePath)}:${process.env.PATH}`;

/** The names that fish offers, without their descriptions. */
async function fishOffers(box: Sandbox, line: string): Promise<string[]> {
  const script = 'set fish_user_paths; tsrun completion fish | source; complete -C $argv[1]';
  const env = { PATH: path, HOME: box.directory };
  const { stdout, stderr, code } = await run('fish', ['--no-config', '-c', script, line], { env });
  if (code !== 0 || stderr !== '') throw new Error(`fish: ${stderr}`);
  return stdout.split('\n').flatMap((offer) => (offer === '' ? [] : [offer.split('\t')[0] ?? '']));
}

t.test('fish completes commands, options, choices, files and ids', { skip: skipFish }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const offers = (line: string) => fishOffers(box, line);
  t.same(await offers('tsrun sta'), ['start', 'state', 'stats']);
  t.same(await offers('tsrun --log /x kil'), ['kill']);
  t.same(await offers('tsrun list --format '), ['json', 'table']);
  t.same(await offers('tsrun kill --a'), ['--all']);
  t.same(await offers('tsrun completion '), ['bash', 'fish', 'zsh']);
  t.same(await offers(`tsrun run --bundle ${box.root.slice(0, -2)}`), [`${box.root}/`]);
  t.same(await offers(`tsrun --root ${box.root} kill `), [id]);
  t.ok((await offers(`tsrun --root ${box.root} kill ${id} K`)).includes('KILL'));
  t.same(await offers('tsrun check --format sa'), ['sarif']);
  t.same(await offers('tsrun ins'), ['inspect']);
  t.same(await offers(`tsrun --root ${box.root} create `), []);
});

t.test('zsh completes commands, options, choices and ids', { skip: skipZsh }, async (t) => {
  const box = sandbox(t);
  const id = await box.create(box.bundle());
  const screen = new Screen(t, box, 'zsh -f');
  screen.type(`PATH=${path} PS1='%% '; autoload -U compinit; compinit -D -u; source <(tsrun completion zsh); clear`);
  await screen.shows(/^%$/);
  const completes = async (text: string, to: RegExp) => {
    screen.press('C-u');
    screen.write(text);
    screen.press('Tab');
    await screen.shows(to);
  };
  await completes('tsrun del', /^% tsrun delete$/);
  await completes('tsrun --log /x kil', /^% tsrun --log \/x kill$/);
  await completes('tsrun list --format ta', /^% tsrun list --format table$/);
  await completes('tsrun list --format=j', /^% tsrun list --format=json$/);
  await completes('tsrun kill --a', /^% tsrun kill --all$/);
  await completes(`tsrun --root ${box.root} kill ${id} KI`, /kill \S+ KILL$/);
  await completes('tsrun check --format sa', /^% tsrun check --format sarif$/);
  await completes('tsrun completion f', /^% tsrun completion fish$/);
  await completes(`tsrun --root ${box.root} state tsr`, new RegExp(`^% tsrun --root ${box.root} state ${id}$`));
});

t.test('another shell is an error that lists the shells', { skip: requires({ runtime: 'tsrun' }) }, async (t) => {
  const { code, stderr } = await run(runtimePath, ['completion', 'tcsh'], {});
  t.equal(code, 1);
  t.match(stderr, /completion: \\"tcsh\\": unknown shell \(hint: the shells are bash, zsh, fish\)/);
});

t.test('every command and visible option is in every script', { skip: requires({ runtime: 'tsrun' }) }, async (t) => {
  const manual = readFileSync(join(repoRoot, 'docs/man/tsrun.1'), 'utf8');
  const commands = [...manual.matchAll(/^\.SS tsrun (\w+)/gm)].map(([, name = '']) => name);
  t.ok(commands.length > 20);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await run(runtimePath, ['completion', shell], {});
    for (const name of commands) t.match(stdout, new RegExp(`\\b${name}\\b`), `${shell}: ${name}`);
  }
});
