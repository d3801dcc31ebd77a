import { TsrunError } from '../../errors.ts';
import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun completion`: a script that makes bash complete tsrun's command line. */
export const completion: CommandDeclaration = {
  name: 'completion',
  summary: 'print a script that makes bash complete tsrun’s command line',
  arguments: [{ name: '<shell>', description: 'bash' }],
  options: [],
  examples: ['source <(tsrun completion bash)'],
  async run([shell = '']) {
    if (shell !== 'bash') throw new TsrunError(`completion: ${shell}: not a shell it knows`, { hint: 'it knows bash' });
    const { bashCompletion } = await import('../completion.ts');
    const { commands } = await import('../commands.ts');
    const { globalOptions } = await import('../globals.ts');
    print(bashCompletion(globalOptions, commands));
    return 0;
  },
};
