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
    const { demandWhole, listContainers, listTable } = await import('../../container/list.ts');
    const listing = listContainers(root);
    const { states } = listing;
    if (options.quiet === true) print(states.map(({ id }) => `${id}\n`).join(''));
    else if (options.format === 'json') print(`${printableJson(states)}\n`);
    else print(listTable(states));
    demandWhole(listing);
    return 0;
  },
};
