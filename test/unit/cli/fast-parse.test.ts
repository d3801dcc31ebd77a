/** The fast parser must agree with commander on every line that it accepts. */
import t from 'tap';
import { commands } from '../../../src/cli/commands.ts';
import type { CommandDeclaration, OptionValues } from '../../../src/cli/declaration.ts';
import { fastParse } from '../../../src/cli/fast-parse.ts';
import { globalOptions } from '../../../src/cli/globals.ts';
import { buildProgram } from '../../../src/cli/program.ts';

interface Seen {
  name: string;
  args: readonly string[];
  options: OptionValues;
  globals: OptionValues;
}

const plainLines = [
  'state web',
  '--root /r --log /l --log-format json state web',
  '--root=/r --systemd-cgroup --debug kill web 9',
  'kill web',
  'delete --force web',
  'delete web --force',
  'delete -f web',
  'create --bundle /b --pid-file /p --no-pivot --no-new-keyring --preserve-fds 3 web',
  'create -b /b --console-socket /s web',
  'run --detach --keep --bundle=/b web',
  'exec web ls -la --color',
  'exec --tty -e A=1 --env B=2 -u 1:2 -d web sh -c true',
  'exec --process /p.json --detach --pid-file /p web',
  'list --format json -q',
  'plan',
  'start web',
];

/** Lines that the fast parser leaves to commander. */
const unusualLines = [
  '',
  '--help',
  'state',
  'state a b',
  'delte web',
  'kill --nope web',
  'list --format xml',
  'create web --bundle',
  'create --bundle --pid-file p web',
  '--version',
  'help state',
  'exec --force=1 web',
];

t.test('takes plain lines as commander does', async (t) => {
  for (const line of plainLines) {
    const words = line.split(' ').filter(Boolean);
    const fast = fastParse(words, globalOptions, commands);
    t.ok(fast, `takes: ${line}`);
    const { command, args, options, globals } = fast ?? fail();
    t.strictSame({ name: command.name, args, options, globals }, await byCommander(words), line);
  }
});

t.test('leaves everything else to commander', async (t) => {
  for (const line of unusualLines) {
    t.equal(fastParse(line.split(' ').filter(Boolean), globalOptions, commands), undefined, line);
  }
});

async function byCommander(words: string[]): Promise<Seen | undefined> {
  let seen: Seen | undefined;
  const run = async (
    command: CommandDeclaration,
    args: readonly string[],
    options: OptionValues,
    globals: OptionValues,
  ) => {
    seen = { name: command.name, args, options: { ...options }, globals: { ...globals } };
  };
  await buildProgram(run).parseAsync(['tsrun', 'tsrun', ...words]);
  return seen;
}

function fail(): never {
  throw new Error('not taken');
}
