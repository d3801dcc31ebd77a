import { TsrunError } from '../../errors.ts';
import type { HostFacts } from '../../host/facts.ts';
import { print } from '../../output.ts';
import type { Plan } from '../../plan/plan.ts';
import { configOf, configOption, createOptions, lowerOptions } from '../bundle-options.ts';
import type { CommandDeclaration, GlobalOptions, OptionValues } from '../declaration.ts';
import { execOptions, execRequest } from './exec.ts';

const createFlags = createOptions.map(({ flags }) => flags);

/** `tsrun plan`: what create or exec would do; changes nothing. */
export const plan: CommandDeclaration = {
  name: 'plan',
  summary: 'print what create would do, op by op, and touch nothing',
  arguments: [
    { name: '[id]', description: 'the name the container would get (default: container)' },
    { name: '[command...]', description: 'with --exec: the program and its arguments' },
  ],
  options: [
    ...createOptions,
    // Without the short form, which means --format here.
    { ...configOption, flags: '--config <file>' },
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
    { flags: '--all', description: 'also show steps that every container has, and values that are the usual ones' },
    {
      flags: '--diff <other>',
      description:
        'show only what differs from the plan of another bundle, config file or container (- there, + here); ' +
        'exit with code 1 when anything does',
    },
    { flags: '--exec', description: 'print what exec would do; the command line of exec follows' },
    ...execOptions.filter(({ flags }) => !createFlags.includes(flags)).map((option) => ({ ...option, hidden: true })),
  ],
  examples: [
    'tsrun plan --bundle /containers/web',
    'tsrun plan --format json | jq .ops[].op',
    'tsrun plan --diff web   # how a container made now would differ from web',
    'tsrun plan --exec --user 1000 web sh -c id',
  ],
  passThroughWith: '--exec',
  async run(args, options, globals) {
    if (options.diff !== undefined) return diff(args, options, globals);
    const { plan } = await (options.exec === true ? planExec : planCreate)(args, options, globals);
    print(await textOf(plan, options));
    return 0;
  },
};

async function textOf(plan: Plan, options: OptionValues): Promise<string> {
  if (options.format === 'json') return (await import('../../plan/to-json.ts')).planToJson(plan);
  const { printPlan } = await import('../../plan/print.ts');
  return printPlan(plan, { all: options.all === true, style: await styleOfStdout() });
}

async function styleOfStdout() {
  const { hasColours, styles } = await import('../../style.ts');
  return styles(hasColours(process.stdout));
}

async function planExec([id = '', ...command]: readonly string[], options: OptionValues, { root }: GlobalOptions) {
  const { prepareExec } = await import('../../container/exec.ts');
  const { ContainerDirectory } = await import('../../container/store.ts');
  return prepareExec(new ContainerDirectory(root, id), await execRequest(command, options));
}

async function planCreate(args: readonly string[], options: OptionValues, globals: GlobalOptions, host?: HostFacts) {
  const [id = 'container', ...rest] = args;
  if (rest.length > 0) throw new TsrunError('a command is allowed with --exec only', { hint: 'tsrun plan --help' });
  const { prepare } = await import('../../container/prepare.ts');
  return prepare(lowerOptions(id, options, globals), configOf(options), false, host);
}

/** Exits as diff(1) does, except that an error gives 1, as with every command. */
async function diff(args: readonly string[], options: OptionValues, globals: GlobalOptions): Promise<number> {
  if (options.exec === true || options.format === 'json') {
    throw new TsrunError('--diff: cannot be combined with --exec or --format json');
  }
  const { gatherHostFacts } = await import('../../host/facts.ts');
  const { otherPlan } = await import('../../container/other-plan.ts');
  const { diffPlans } = await import('../../plan/diff.ts');
  const given = lowerOptions(args[0] ?? 'container', options, globals);
  const host = gatherHostFacts();
  const other = otherPlan(options.diff as string, { ...given, root: globals.root }, host);
  const { plan } = await planCreate([args[0] ?? other.id, ...args.slice(1)], options, globals, host);
  const text = diffPlans(other.plan, plan, await styleOfStdout());
  print(text);
  return text === '' ? 0 : 1;
}
