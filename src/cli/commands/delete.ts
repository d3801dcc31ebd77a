import { asTsrunError } from '../../errors.ts';
import { log } from '../../log.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun delete`: undoes create (runtime.md, Delete). */
export const deleteCommand: CommandDeclaration = {
  name: 'delete',
  summary: 'remove a stopped or created container',
  arguments: [{ name: '<id...>', description: 'the container’s name, or several' }],
  options: [{ flags: '-f, --force', description: 'kill a running container first; an absent one is no error' }],
  examples: ['tsrun delete web', 'tsrun delete web db', 'tsrun delete --force web'],
  async run(ids, options, { root }) {
    const { deleteContainer } = await import('../../container/delete.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const force = options.force === true;
    const [failure] = eachOf(ids, (id) => deleteContainer(new ContainerDirectory(root, id), { force }));
    if (failure !== undefined) throw failure;
    return 0;
  },
};

/** One that fails keeps no other: all are tried. @returns the last failure; those before it have been logged */
function eachOf(ids: readonly string[], action: (id: string) => void): unknown[] {
  const failures: unknown[] = [];
  for (const id of ids) {
    try {
      action(id);
    } catch (error) {
      failures.push(error);
    }
  }
  for (const error of failures.slice(0, -1)) log('error', asTsrunError(error)?.asLine ?? (error as Error).message);
  return failures.slice(-1);
}
