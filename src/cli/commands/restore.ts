import { bundleOption, lowerOptions } from '../bundle-options.ts';
import type { CommandDeclaration, GlobalOptions, OptionValues } from '../declaration.ts';
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
    const detach = options.detach === true;
    const restored = await restoreFrom(id, options, globals);
    const { runRestored } = await import('../../container/checkpoint/after-restore.ts');
    return runRestored(restored, detach);
  },
};

async function restoreFrom(id: string, options: OptionValues, globals: GlobalOptions) {
  const { restoreContainer } = await import('../../container/checkpoint/restore.ts');
  const { placing } = await import('../../config/locate.ts');
  const { logFindings } = await import('../../container/log-findings.ts');
  const { demandRootfs, prepare } = await import('../../container/prepare.ts');
  const { checkId } = await import('../../container/id.ts');
  const { checkConsole } = await import('../../host/descriptor-sockets.ts');
  checkId(id);
  const lowering = lowerOptions(id, options, globals);
  const { spec, source, plan } = prepare(lowering);
  logFindings(plan, () => source);
  placing(source, () => demandRootfs(spec, lowering));
  const consoleSocket = options.consoleSocket as string | undefined;
  placing(source, () => checkConsole(spec.process?.terminal === true, options.detach === true, consoleSocket));
  return restoreContainer({
    ...criuFlags(options),
    root: globals.root,
    id,
    bundle: lowering.bundle,
    spec,
    source,
    plan,
    isForeground: options.detach !== true,
    consoleSocket,
    pidfdSocket: options.pidfdSocket as string | undefined,
    lsmProfile: options.lsmProfile as string | undefined,
    lsmMountContext: options.lsmMountContext as string | undefined,
  });
}
