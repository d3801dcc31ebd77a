import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun tree`: containers under their cgroups. */
export const tree: CommandDeclaration = {
  name: 'tree',
  summary: 'show the containers under their cgroups, nested ones inside others',
  arguments: [],
  options: [
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
  ],
  examples: ['tsrun tree', 'tsrun tree --format json'],
  async run(_args, options, { root }) {
    const { treeContainers, treeOf, treeText } = await import('../../container/tree.ts');
    const nodes = treeOf(treeContainers(root));
    if (options.format === 'json') {
      const { printableJson } = await import('../../json.ts');
      print(`${printableJson(nodes, 2)}\n`);
      return 0;
    }
    const { hasColours, styles } = await import('../../style.ts');
    print(treeText(nodes, styles(hasColours(process.stdout))));
    return 0;
  },
};
