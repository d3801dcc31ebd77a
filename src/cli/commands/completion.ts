import { TsrunError } from '../../errors.ts';
import { print } from '../../output.ts';
import type { CompletionMaker } from '../completion/declarations.ts';
import type { CommandDeclaration } from '../declaration.ts';

const makers: Readonly<Record<string, () => Promise<CompletionMaker>>> = {
  bash: async () => (await import('../completion/bash.ts')).bashCompletion,
  zsh: async () => (await import('../completion/zsh.ts')).zshCompletion,
  fish: async () => (await import('../completion/fish.ts')).fishCompletion,
};

const shells = Object.keys(makers);

/** `tsrun completion`: a script that makes a shell complete tsrun's command line. */
export const completion: CommandDeclaration = {
  name: 'completion',
  summary: 'print a script that makes a shell complete tsrun’s command line',
  arguments: [{ name: '<shell>', description: shells.join(', '), choices: shells }],
  options: [],
  examples: [
    'source <(tsrun completion bash)',
    'source <(tsrun completion zsh)',
    'tsrun completion fish > ~/.config/fish/completions/tsrun.fish',
  ],
  async run([shell = ''], _options, _globals, commands) {
    const maker = makers[shell];
    if (maker === undefined) {
      throw new TsrunError(`completion: ${JSON.stringify(shell)}: unknown shell`, {
        hint: `the shells are ${shells.join(', ')}`,
      });
    }
    const { globalOptions } = await import('../globals.ts');
    print((await maker())(globalOptions, commands));
    return 0;
  },
};
