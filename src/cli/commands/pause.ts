import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun pause`: pauses a container with the freezer of cgroup v2. */
export const pause: CommandDeclaration = {
  name: 'pause',
  summary: 'suspend all processes of a container',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [],
  examples: ['tsrun pause web'],
  async run([id = ''], _options, { root }) {
    const { pauseContainer } = await import('../../container/pause.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    pauseContainer(new ContainerDirectory(root, id));
    return 0;
  },
};

/** `tsrun resume`: ends a pause. */
export const resume: CommandDeclaration = {
  name: 'resume',
  summary: 'resume a paused container',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [],
  examples: ['tsrun resume web'],
  async run([id = ''], _options, { root }) {
    const { resumeContainer } = await import('../../container/pause.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    resumeContainer(new ContainerDirectory(root, id));
    return 0;
  },
};
