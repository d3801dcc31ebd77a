import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun features`: JSON on stdout and no other output, as engines parse stdout and stderr together. */
export const features: CommandDeclaration = {
  name: 'features',
  summary: 'print as JSON what this runtime can do',
  arguments: [],
  options: [],
  examples: ['tsrun features | jq .linux.seccomp'],
  async run(_args, _options, _globals, commands) {
    const [{ features: featuresOf }, { gatherHostFacts }, { libseccompVersion }] = await Promise.all([
      import('../../features/features.ts'),
      import('../../host/facts.ts'),
      import('../../seccomp/compile.ts'),
    ]);
    const { seccompFlags } = gatherHostFacts();
    const facts = { seccompFlags, libseccompVersion: libseccompVersion() };
    const names = commands.map(({ name }) => name);
    print(`${JSON.stringify(featuresOf(names, facts), null, 2)}\n`);
    return 0;
  },
};
