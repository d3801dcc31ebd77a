import { closeQuietly } from '../../close.ts';
import { configOf, configOption, createOptions, lowerOptions } from '../bundle-options.ts';
import type { CommandDeclaration, GlobalOptions, OptionValues } from '../declaration.ts';

/** `tsrun create`: everything up to the user's program (runtime.md, Create). */
export const create: CommandDeclaration = {
  name: 'create',
  summary: 'make a container and leave it waiting for start',
  arguments: [{ name: '<id>', description: 'the new container’s name' }],
  options: [...createOptions, configOption],
  examples: ['tsrun create --bundle /containers/web --pid-file /run/web.pid web'],
  async run([id = ''], options, globals) {
    closeQuietly((await createFrom(id, options, globals, { detached: true, starts: false })).pidfd);
    return 0;
  },
};

/**
 * What create and run share. `detached`: this command does not stay to hold a terminal. `starts`: it also starts the
 * container.
 */
export async function createFrom(
  id: string,
  options: OptionValues,
  globals: GlobalOptions,
  { detached, starts }: { detached: boolean; starts: boolean },
) {
  const { checkId } = await import('../../container/id.ts');
  const { makeContainer } = await import('../../container/make.ts');
  const { notifyDirectoryFor } = await import('../../container/notify.ts');
  const { passedDescriptors } = await import('../../host/descriptors.ts');
  checkId(id);
  const given = lowerOptions(id, options, globals);
  const descriptors = passedDescriptors(given.preserveFds);
  const notifyDirectory = notifyDirectoryFor(globals.root, id);
  return makeContainer({
    root: globals.root,
    lowering: { ...given, preserveFds: descriptors.count, env: descriptors.env, notifyDirectory },
    config: configOf(options),
    tty: options.tty === true,
    detached,
    starts,
    consoleSocket: options.consoleSocket as string | undefined,
    pidfdSocket: options.pidfdSocket as string | undefined,
  });
}
