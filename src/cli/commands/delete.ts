import type { CommandDeclaration } from '../declaration.ts';
import { eachOf } from '../each.ts';

/** `tsrun delete`: undoes create (runtime.md, Delete). */
export const deleteCommand: CommandDeclaration = {
  name: 'delete',
  summary: 'remove a stopped or created container',
  arguments: [{ name: '<id...>', description: 'the container’s name, or several' }],
  options: [
    { flags: '-f, --force', description: 'kill a running container first; a missing one is not an error' },
    {
      flags: '-r, --regex',
      description:
        'the names are regular expressions: remove all containers that one of them matches, which may be none',
    },
  ],
  examples: [
    'tsrun delete web',
    'tsrun delete web db',
    'tsrun delete --force web',
    "tsrun delete --force --regex '^test-'",
  ],
  async run(names, options, { root }) {
    const { matchingIds } = await import('../../container/root.ts');
    const { deleteContainer } = await import('../../container/delete.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const force = options.force === true;
    const ids = options.regex === true ? new Set(names.flatMap((name) => matchingIds(root, name))) : names;
    eachOf([...ids], (id) => deleteContainer(new ContainerDirectory(root, id), { force }));
    return 0;
  },
};
