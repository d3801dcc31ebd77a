import { print } from '../../output.ts';
import { bundleOf, createOptions } from '../bundle-options.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun plan`: what create would do; touches nothing. */
export const plan: CommandDeclaration = {
  name: 'plan',
  summary: 'print what create would do, op by op, and touch nothing',
  arguments: [{ name: '[id]', description: 'the name the container would get (default: container)' }],
  options: [
    ...createOptions,
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
  ],
  examples: ['tsrun plan --bundle /containers/web', 'tsrun plan --format json | jq .ops[].op'],
  async run([id = 'container'], options, { rootless, systemdCgroup }) {
    const { prepare } = await import('../../container/prepare.ts');
    const { planToJson, printPlan } = await import('../../plan/print.ts');
    const { plan } = prepare({
      id,
      bundle: bundleOf(options),
      pidFile: options.pidFile as string | undefined,
      noPivot: options.pivot === false,
      noNewKeyring: options.newKeyring === false,
      rootless,
      systemdCgroup,
      preserveFds: (options.preserveFds as number | undefined) ?? 0,
    });
    print(options.format === 'json' ? planToJson(plan) : printPlan(plan));
    return 0;
  },
};
