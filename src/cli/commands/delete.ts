import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun delete`: undoes create (runtime.md, Delete). */
export const deleteCommand: CommandDeclaration = {
  name: 'delete',
  summary: 'remove a stopped or created container',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [{ flags: '-f, --force', description: 'kill a running container first; an absent one is no error' }],
  examples: ['tsrun delete web', 'tsrun delete --force web'],
  async run([id = ''], options, { root }) {
    const { deleteContainer } = await import('../../container/delete.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    deleteContainer(new ContainerDirectory(root, id), { force: options.force === true });
    return 0;
  },
};
