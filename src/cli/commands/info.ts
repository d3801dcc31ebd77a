import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun info`: what this host offers to containers. */
export const info: CommandDeclaration = {
  name: 'info',
  summary: 'show what this host gives to containers, and what of the specification it cannot do',
  arguments: [],
  options: [
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
  ],
  examples: ['tsrun info', 'tsrun info --format json | jq -r .cannot[].pointer'],
  async run(_args, options) {
    const { infoOf } = await import('../../info/info.ts');
    const { gatherHostFacts } = await import('../../host/facts.ts');
    const found = infoOf(gatherHostFacts());
    if (options.format === 'json') {
      const { printableJson } = await import('../../json.ts');
      print(`${printableJson(found, 2)}\n`);
      return 0;
    }
    const { infoText } = await import('../../info/text.ts');
    const { hasColours, styles } = await import('../../style.ts');
    print(infoText(found, styles(hasColours(process.stdout))));
    return 0;
  },
};
