import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun kill`: a signal for the init process (runtime.md, Kill). */
export const kill: CommandDeclaration = {
  name: 'kill',
  summary: 'send a signal to a container',
  arguments: [
    { name: '<id>', description: 'the container’s name' },
    { name: '[signal]', description: 'name or number (default: TERM)' },
  ],
  options: [{ flags: '-a, --all', description: 'signal every process of the container' }],
  examples: ['tsrun kill web', 'tsrun kill web KILL', 'tsrun kill --all web 9'],
  async run([id = '', signal = 'TERM'], options, { root }) {
    const { killContainer } = await import('../../container/kill.ts');
    const { parseSignal } = await import('../../linux/signals.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const directory = new ContainerDirectory(root, id);
    if (options.all === true) {
      const { killAll } = await import('../../container/kill-all.ts');
      killAll(directory, parseSignal(signal));
    } else killContainer(directory, parseSignal(signal));
    return 0;
  },
};
