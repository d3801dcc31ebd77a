import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun start`: lets the user's program run (runtime.md, Start). */
export const start: CommandDeclaration = {
  name: 'start',
  summary: 'run the program of a created container',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [],
  examples: ['tsrun start web'],
  async run([id = ''], _options, { root }) {
    const { startContainer } = await import('../../container/start.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const { openNotifyRelay } = await import('../../container/notify.ts');
    const directory = new ContainerDirectory(root, id);
    const notify = openNotifyRelay(directory);
    startContainer(directory);
    notify?.waitForReady();
    return 0;
  },
};
