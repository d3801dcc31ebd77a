import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun ps`: the processes of a container, as the host sees them. */
export const ps: CommandDeclaration = {
  name: 'ps',
  summary: 'list the processes of a container, with the host’s pids',
  arguments: [
    { name: '<id>', description: 'the container’s name' },
    { name: '[ps-arguments...]', description: 'options for ps(1) (default: -ef)' },
  ],
  options: [
    { flags: '-f, --format <format>', description: 'output format', choices: ['table', 'json'], default: 'table' },
  ],
  examples: ['tsrun ps web', 'tsrun ps web -o pid,rss,args', 'tsrun ps --format json web'],
  passThrough: true,
  async run([id = '', ...psArguments], options, { root }) {
    const { containerPids, processTable } = await import('../../container/ps.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const pids = containerPids(new ContainerDirectory(root, id));
    print(options.format === 'json' ? `${JSON.stringify(pids)}\n` : processTable(pids, psArguments));
    return 0;
  },
};
