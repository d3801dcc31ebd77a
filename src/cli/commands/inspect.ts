import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun inspect`: all that can be seen of a container from outside. */
export const inspect: CommandDeclaration = {
  name: 'inspect',
  summary: 'show a container’s namespaces, mounts, limits against use, CPUs, privileges and devices',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [
    { flags: '-f, --format <format>', description: 'output format', choices: ['text', 'json'], default: 'text' },
  ],
  examples: ['tsrun inspect web', 'tsrun inspect --format json web | jq .running.limits'],
  async run([id = ''], options, { root }) {
    const { inspectContainer } = await import('../../container/inspect.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const found = inspectContainer(new ContainerDirectory(root, id));
    if (options.format === 'json') {
      const { toJson } = await import('../../json.ts');
      print(`${toJson(found)}\n`);
      return 0;
    }
    const { inspectText } = await import('../../container/inspect-text.ts');
    const { hasColours, styles } = await import('../../style.ts');
    print(inspectText(found, styles(hasColours(process.stdout))));
    return 0;
  },
};
