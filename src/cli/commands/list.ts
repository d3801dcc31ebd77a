import { printableJson } from '../../json.ts';
import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun list`: all containers below --root. */
export const list: CommandDeclaration = {
  name: 'list',
  summary: 'list the containers below --root',
  arguments: [],
  options: [
    { flags: '-f, --format <format>', description: 'output format', choices: ['table', 'json'], default: 'table' },
    { flags: '-q, --quiet', description: 'print ids only' },
  ],
  examples: ['tsrun list', 'tsrun list --quiet', 'tsrun list --format json'],
  async run(_args, options, { root }) {
    const { demandWhole, listContainers, recordedIds, listTable } = await import('../../container/list.ts');
    if (options.quiet === true) {
      const ids = recordedIds(root);
      print(ids.listed.map((id) => `${id}\n`).join(''));
      demandWhole(ids);
      return 0;
    }
    const states = listContainers(root);
    print(options.format === 'json' ? `${printableJson(states.listed)}\n` : listTable(states.listed));
    demandWhole(states);
    return 0;
  },
};
