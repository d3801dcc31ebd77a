import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun kill`: a signal for the init process (runtime.md, Kill). */
export const kill: CommandDeclaration = {
  name: 'kill',
  summary: 'send a signal to a container’s init process',
  arguments: [
    { name: '<id>', description: 'the container’s name' },
    { name: '[signal]', description: 'name or number (default: TERM)' },
  ],
  options: [],
  examples: ['tsrun kill web', 'tsrun kill web KILL', 'tsrun kill web 9'],
  async run([id = '', signal = 'TERM'], _options, { root }) {
    const { killContainer, parseSignal } = await import('../../container/kill.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    killContainer(new ContainerDirectory(root, id), parseSignal(signal));
    return 0;
  },
};
