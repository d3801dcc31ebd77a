import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun wait`: tells how a container ends, to callers that are not its parent. */
export const wait: CommandDeclaration = {
  name: 'wait',
  summary: 'wait for a container to end, and print how it ended',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
  ],
  examples: ['tsrun wait web', 'tsrun wait --format json web | jq .code'],
  async run([id = ''], options, { root }) {
    const { describeExit } = await import('../../container/exit.ts');
    const { waitForContainer } = await import('../../container/wait.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const exit = waitForContainer(new ContainerDirectory(root, id));
    const { code = null, signal = null, oomKilled = null } = exit;
    const text = options.format === 'json' ? JSON.stringify({ code, signal, oomKilled }) : describeExit(exit);
    print(`${text}\n`);
    return 0;
  },
};
