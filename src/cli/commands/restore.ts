import { bundleOption, lowerOptions } from '../bundle-options.ts';
import type { CommandDeclaration } from '../declaration.ts';
import { criuFlags, criuOptions } from './checkpoint.ts';

/** `tsrun restore`: a container from what checkpoint has written. */
export const restore: CommandDeclaration = {
  name: 'restore',
  summary: 'make a container from a checkpoint, and have it go on (with CRIU)',
  arguments: [{ name: '<id>', description: 'the new container’s name' }],
  options: [
    ...criuOptions,
    bundleOption,
    { flags: '--parent-path <dir>', description: 'accepted for compatibility: the images know it', hidden: true },
    { flags: '--console-socket <socket>', description: 'Unix socket that gets the master of the terminal' },
    { flags: '--pidfd-socket <socket>', description: 'Unix socket that gets a pidfd of the init process' },
    { flags: '-d, --detach', description: 'leave the container running and return' },
    { flags: '--pid-file <file>', description: 'write the init process’s pid to this file' },
    { flags: '--no-subreaper', description: 'accepted for compatibility: tsrun is never a subreaper', hidden: true },
    { flags: '--no-pivot', description: 'accepted for compatibility: CRIU enters the root', hidden: true },
    { flags: '--lsm-profile <profile>', description: 'apparmor:PROFILE or selinux:LABEL for the processes' },
    { flags: '--lsm-mount-context <context>', description: 'SELinux context for the mounts' },
  ],
  examples: [
    'tsrun restore --image-path /backup/web --bundle /containers/web web',
    'tsrun restore --detach --image-path /backup/web --bundle /containers/web web2',
  ],
  async run([id = ''], options, globals) {
    const { restoreContainer } = await import('../../container/checkpoint/restore.ts');
    const { runRestored } = await import('../../container/checkpoint/after-restore.ts');
    const detached = options.detach === true;
    const restored = restoreContainer({
      ...criuFlags(options),
      root: globals.root,
      lowering: lowerOptions(id, options, globals),
      detached,
      consoleSocket: options.consoleSocket as string | undefined,
      pidfdSocket: options.pidfdSocket as string | undefined,
      lsmProfile: options.lsmProfile as string | undefined,
      lsmMountContext: options.lsmMountContext as string | undefined,
    });
    return runRestored(restored, detached);
  },
};
