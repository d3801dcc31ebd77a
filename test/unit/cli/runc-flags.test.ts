/** Every flag of runc's commands in every form that callers use, in runc's own order and in Slurm's. */
import t, { type Test } from 'tap';
import { commands } from '../../../src/cli/commands.ts';
import type { OptionValues } from '../../../src/cli/declaration.ts';
import { fastParse } from '../../../src/cli/fast-parse.ts';
import { globalOptions } from '../../../src/cli/globals.ts';
import { normalizeGoFlags } from '../../../src/cli/go-flags.ts';
import { buildProgram, usageError } from '../../../src/cli/program.ts';

/** By command: `name` for a switch, `name=value` for an option with a value, `x` for a short one. */
const flags: Readonly<Record<string, string>> = {
  create: 'b=/b bundle=/b console-socket=/s pidfd-socket=/s pid-file=/p no-pivot no-new-keyring preserve-fds=3',
  run:
    'b=/b bundle=/b console-socket=/s pidfd-socket=/s pid-file=/p no-pivot no-new-keyring preserve-fds=3 d detach keep ' +
    'no-subreaper',
  kill: 'a all',
  delete: 'f force',
  exec:
    'console-socket=/s pidfd-socket=/s cwd=/ e=A=1 env=A=1 t tty u=1:2 user=1:2 g=7 additional-gids=7 p=/f process=/f d ' +
    'detach pid-file=/p process-label=l apparmor=a no-new-privs c=KILL cap=KILL preserve-fds=2 cgroup=/c ignore-paused',
  list: 'f=json format=json q quiet',
  ps: 'f=json format=json',
  update:
    'r=/f resources=- blkio-weight=100 cpu-period=1000 cpu-quota=-1 cpu-burst=1 cpu-share=2 cpu-rt-period=1 ' +
    'cpu-rt-runtime=1 cpuset-cpus=0-1 cpuset-mems=0 cpu-idle=1 memory=1 memory-reservation=1 memory-swap=-1 ' +
    'pids-limit=-1 l3-cache-schema=L3:0=f mem-bw-schema=MB:0=20',
  events: 'stats interval=5s',
  spec: 'b=/b bundle=/b rootless',
  checkpoint:
    'image-path=/i work-path=/w parent-path=/p leave-running tcp-established tcp-skip-in-flight link-remap ext-unix-sk ' +
    'shell-job lazy-pages status-fd=3 page-server=1:2 file-locks pre-dump manage-cgroups-mode=soft empty-ns=network ' +
    'auto-dedup',
  restore:
    'image-path=/i work-path=/w tcp-established ext-unix-sk shell-job file-locks manage-cgroups-mode=soft b=/b ' +
    'bundle=/b d detach pid-file=/p console-socket=/s no-subreaper no-pivot empty-ns=network auto-dedup lazy-pages ' +
    'lsm-profile=p lsm-mount-context=c',
};

const globalFlags =
  'root=/r log=/l log-format=json log-level=debug debug systemd-cgroup cgroup-manager=disabled rootless=true';

interface Seen {
  args: readonly string[];
  options: OptionValues;
  globals: OptionValues;
}

/** What commander has called the command with. */
const called: Seen[] = [];

/** Made once: to build the tree of all commands takes longer than to parse a line. */
const program = buildProgram(async (_command, args, options, globals) => {
  called.push({ args, options: { ...options }, globals: { ...globals } });
});

/** What the command is called with. The fast parser must agree with commander, or leave the line to it. */
async function parsed(t: Test, line: readonly string[]): Promise<Seen> {
  const argv = normalizeGoFlags(line, globalOptions, commands);
  const fast = fastParse(argv, globalOptions, commands);
  await program.parseAsync(argv, { from: 'user' });
  const seen = called.pop();
  if (seen === undefined) throw new Error(`nothing was called by ${line.join(' ')}`);
  if (fast !== undefined) {
    t.strictSame({ ...fast.options }, seen.options, `${line.join(' ')}: the fast parser’s options`);
    t.strictSame(fast.args, seen.args, `${line.join(' ')}: the fast parser’s arguments`);
  }
  return seen;
}

/** The ways to write it that Go's flag package accepts; a switch may also be set by a value. */
function formsOf(flag: string): string[][] {
  const [name = '', ...rest] = flag.split('=');
  const value = rest.join('=');
  if (name.length === 1) {
    return value === '' ? [[`-${name}`], [`-${name}=1`]] : [[`-${name}`, value], [`-${name}=${value}`]];
  }
  if (value === '') return [[`--${name}`], [`-${name}`], [`--${name}=true`]];
  return [[`--${name}`, value], [`--${name}=${value}`], [`-${name}`, value], [`-${name}=${value}`]];
}

/** Commands whose options end at the id: what follows is for the program. */
const endsAtId = ['exec', 'ps'];

for (const [name, list] of Object.entries(flags)) {
  t.test(`${name} takes runc’s flags, before the id and behind it`, async (t) => {
    const operands = ['list', 'spec'].includes(name) ? [] : ['web'];
    const plain = await parsed(t, [name, ...operands]);
    for (const flag of list.split(' ')) {
      const results: Seen[] = [];
      for (const form of formsOf(flag)) {
        results.push(await parsed(t, [name, ...form, ...operands]));
        if (!endsAtId.includes(name)) results.push(await parsed(t, [name, ...operands, ...form]));
      }
      for (const result of results) {
        t.strictSame(result.args, operands, flag);
        t.notSame(result.options, plain.options, `${flag} changes nothing`);
        t.strictSame(result.options, results[0]?.options, `${flag}: one form differs`);
      }
    }
  });
}

t.test('global flags stand before the command', async (t) => {
  const plain = await parsed(t, ['state', 'web']);
  for (const flag of globalFlags.split(' ')) {
    for (const form of formsOf(flag)) {
      t.notSame((await parsed(t, [...form, 'state', 'web'])).globals, plain.globals, form.join(' '));
    }
  }
});

t.test('help and version have one dash or two, or one letter', async (t) => {
  const ways = { '-h': 'help', '-help': 'help', '--help': 'help', '-v': 'version', '--version': 'version' };
  for (const [word, what] of Object.entries(ways)) {
    const line = normalizeGoFlags([word], globalOptions, commands);
    const program = buildProgram(async () => undefined).configureOutput({ writeOut: () => undefined });
    await t.rejects(program.parseAsync(line, { from: 'user' }), { code: new RegExp(`commander.${what}`), exitCode: 0 });
  }
});

t.test('a switch that is set to false is not set', async (t) => {
  const plain = await parsed(t, ['delete', 'web']);
  t.strictSame((await parsed(t, ['delete', '--force=false', 'web'])).options, plain.options);
});

t.test('the lines that Slurm’s documentation has', async (t) => {
  const line = '--rootless=true --root=/run/user/7/ run n.u.1.0.0 -b /bundle'.split(' ');
  t.match(await parsed(t, line), {
    args: ['n.u.1.0.0'],
    options: { bundle: '/bundle' },
    globals: { rootless: 'true' },
  });
  const kill = '--rootless=true --root=/run/user/7/ kill -a n.u.1.0.0'.split(' ');
  t.match(await parsed(t, kill), { args: ['n.u.1.0.0'], options: { all: true } });
});

t.test('an unknown flag is an error, with the flag that may be meant', async (t) => {
  const wrong = {
    'run --detatch web': '--detach',
    'create --bundel=/b web': '--bundle',
    'exec --usr=1 web sh': '--user',
    'run -detatch web': '--detach',
    'kill --al web': '--all',
    'update --memry=1 web': '--memory',
  };
  for (const [line, meant] of Object.entries(wrong)) {
    const error = await parsed(t, line.split(' ')).then(
      () => undefined,
      (error) => usageError(error),
    );
    t.match(error?.asLine ?? '', new RegExp(`unknown option .*Did you mean ${meant}`), line);
  }
});
