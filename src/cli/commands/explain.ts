import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun explain`: what a property means and which ops it becomes, or what an error is about. */
export const explain: CommandDeclaration = {
  name: 'explain',
  summary: 'say what a property of config.json means and becomes, or what an error is about',
  arguments: [
    {
      name: '<pointer|error...>',
      description: 'a JSON pointer such as /mounts/3/options, an operation of plan, or an error in quotes',
    },
  ],
  options: [
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
  ],
  examples: [
    'tsrun explain /linux/resources/memory/limit',
    'tsrun explain /mounts/3/options/1',
    'tsrun explain new-filesystem',
    'tsrun explain \'exec: "nginx": executable file not found in $PATH\'',
  ],
  async run(words, options) {
    const { explained, explanation } = await import('../../explain/explain.ts');
    const found = explained(words.join(' '));
    if (options.format === 'json') {
      const { properties, ops, errnos } = found;
      const { printableJson } = await import('../../json.ts');
      print(`${printableJson({ properties, ops, errnos, words: found.words.map(({ text }) => text) }, 2)}\n`);
      return 0;
    }
    const { hasColours, styles } = await import('../../style.ts');
    print(explanation(found, styles(hasColours(process.stdout))));
    return 0;
  },
};
