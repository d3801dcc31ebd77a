import { signalNames } from '../../linux/signals.ts';
import type { CommandDeclaration, OptionValues } from '../declaration.ts';

/**
 * `tsrun kill`: sends a signal to the init process (runtime.md, Kill). The signal follows the id, as in runc, so only
 * one id is possible.
 */
export const kill: CommandDeclaration = {
  name: 'kill',
  summary: 'send a signal to a container',
  arguments: [
    { name: '<id>', description: 'the container’s name' },
    { name: '[signal]', description: 'name or number (default: TERM)', choices: signalNames },
  ],
  options: [
    { flags: '-a, --all', description: 'signal every process of the container' },
    {
      flags: '-r, --regex',
      description:
        'the name is a regular expression: signal all containers that it matches and that run, which may be none',
    },
  ],
  examples: ['tsrun kill web', 'tsrun kill web KILL', 'tsrun kill --all web 9', "tsrun kill --regex '^test-' KILL"],
  async run([id = '', signal = 'TERM'], options, { root }) {
    const { parseSignal } = await import('../../linux/signals.ts');
    const number = parseSignal(signal);
    const kill = await killer(root, options);
    if (options.regex !== true) {
      kill(id, number);
      return 0;
    }
    const { runningIds } = await import('../../container/running.ts');
    const { eachOf } = await import('../each.ts');
    eachOf(runningIds(root, id), (each) => kill(each, number));
    return 0;
  },
};

async function killer(root: string, { all }: OptionValues): Promise<(id: string, signal: number) => void> {
  const { ContainerDirectory } = await import('../../container/store.ts');
  const directoryOf = (id: string) => new ContainerDirectory(root, id);
  if (all === true) {
    const { killAll } = await import('../../container/kill-all.ts');
    return (id, signal) => killAll(directoryOf(id), signal);
  }
  const { killContainer } = await import('../../container/kill.ts');
  return (id, signal) => killContainer(directoryOf(id), signal);
}
