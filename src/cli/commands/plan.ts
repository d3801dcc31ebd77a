import { TsrunError } from '../../errors.ts';
import { print } from '../../output.ts';
import { configOf, configOption, createOptions, lowerOptions } from '../bundle-options.ts';
import type { CommandDeclaration, GlobalOptions, OptionValues } from '../declaration.ts';
import { execOptions, execRequest } from './exec.ts';

const createFlags = createOptions.map(({ flags }) => flags);

/** `tsrun plan`: what create or exec would do; touches nothing. */
export const plan: CommandDeclaration = {
  name: 'plan',
  summary: 'print what create would do, op by op, and touch nothing',
  arguments: [
    { name: '[id]', description: 'the name the container would get (default: container)' },
    { name: '[command...]', description: 'with --exec: the program and its arguments' },
  ],
  options: [
    ...createOptions,
    // Without the short form, which is --format's here.
    { ...configOption, flags: '--config <file>' },
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
    { flags: '--exec', description: 'what exec would do in the container <id>, with its options' },
    ...execOptions.filter(({ flags }) => !createFlags.includes(flags)).map((option) => ({ ...option, hidden: true })),
  ],
  examples: [
    'tsrun plan --bundle /containers/web',
    'tsrun plan --format json | jq .ops[].op',
    'tsrun plan --exec --user 1000 web -- sh -c id',
  ],
  async run(args, options, globals) {
    const { planToJson, printPlan } = await import('../../plan/print.ts');
    const { plan } = await (options.exec === true ? planExec : planCreate)(args, options, globals);
    print(options.format === 'json' ? planToJson(plan) : printPlan(plan));
    return 0;
  },
};

async function planExec([id = '', ...command]: readonly string[], options: OptionValues, { root }: GlobalOptions) {
  const { prepareExec } = await import('../../container/exec.ts');
  const { ContainerDirectory } = await import('../../container/store.ts');
  return prepareExec(new ContainerDirectory(root, id), await execRequest(command, options));
}

async function planCreate(args: readonly string[], options: OptionValues, globals: GlobalOptions) {
  const [id = 'container', ...rest] = args;
  if (rest.length > 0) throw new TsrunError('a command is for --exec only', { hint: 'tsrun plan --help' });
  const { prepare } = await import('../../container/prepare.ts');
  return prepare(lowerOptions(id, options, globals), configOf(options));
}
