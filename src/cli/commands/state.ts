import { printableJson } from '../../json.ts';
import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun state`: the spec's state as JSON (runtime.md, State). */
export const state: CommandDeclaration = {
  name: 'state',
  summary: 'print the state of a container as JSON',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [],
  examples: ['tsrun state web | jq -r .status'],
  async run([id = ''], _options, { root }) {
    const { printedState } = await import('../../container/state.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const directory = new ContainerDirectory(root, id);
    print(`${printableJson(printedState(directory, directory.read()), 2)}\n`);
    return 0;
  },
};
