import { TsrunError } from '../../errors.ts';
import { bundleOption } from '../bundle-options.ts';
import type { CommandDeclaration, OptionDeclaration } from '../declaration.ts';

/** What runc's checkpoint and restore have in common; callers pass them, and read what --help says of them. */
const sharedOptions: readonly OptionDeclaration[] = [
  { flags: '--image-path <dir>', description: 'directory of the image files' },
  { flags: '--work-path <dir>', description: 'directory of the work files and logs' },
  { flags: '--tcp-established', description: 'allow open TCP connections' },
  { flags: '--ext-unix-sk', description: 'allow external Unix sockets' },
  { flags: '--shell-job', description: 'allow shell jobs' },
  { flags: '--lazy-pages', description: 'use userfaultfd to restore memory on demand' },
  { flags: '--file-locks', description: 'handle file locks' },
  { flags: '--manage-cgroups-mode <mode>', description: 'cgroups mode: soft, full, strict or ignore' },
  { flags: '--empty-ns <namespace>', description: 'create a namespace, but do not restore it', repeated: true },
  { flags: '--auto-dedup', description: 'deduplicate memory images' },
];

/** `tsrun checkpoint`: there so that callers that probe for it get a clear answer. */
export const checkpoint: CommandDeclaration = {
  name: 'checkpoint',
  summary: 'checkpoint a container (not supported)',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [
    ...sharedOptions,
    { flags: '--parent-path <dir>', description: 'directory of the images of an earlier pre-dump' },
    { flags: '--leave-running', description: 'leave the process running' },
    { flags: '--tcp-skip-in-flight', description: 'skip TCP connections that are being made' },
    { flags: '--link-remap', description: 'allow links to removed files' },
    { flags: '--status-fd <fd>', description: 'descriptor that gets a byte when lazy pages can be served' },
    { flags: '--page-server <address:port>', description: 'send pages to a page server' },
    { flags: '--pre-dump', description: 'dump memory only, and leave the container running' },
  ],
  examples: [],
  refused: true,
  async run() {
    throw notSupported('checkpoint');
  },
};

/** `tsrun restore`: likewise. */
export const restore: CommandDeclaration = {
  name: 'restore',
  summary: 'restore a container from a checkpoint (not supported)',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [
    ...sharedOptions,
    bundleOption,
    { flags: '--console-socket <socket>', description: 'Unix socket that gets the master of the terminal' },
    { flags: '-d, --detach', description: 'leave the container running and return' },
    { flags: '--pid-file <file>', description: 'write the init process’s pid to this file' },
    { flags: '--no-subreaper', description: 'accepted for compatibility', hidden: true },
    { flags: '--no-pivot', description: 'MS_MOVE and chroot instead of pivot_root' },
    { flags: '--lsm-profile <profile>', description: 'LSM profile for the restored process' },
    { flags: '--lsm-mount-context <context>', description: 'LSM context for its mounts' },
  ],
  examples: [],
  refused: true,
  async run() {
    throw notSupported('restore');
  },
};

function notSupported(what: string): TsrunError {
  return new TsrunError(`${what}: tsrun cannot checkpoint or restore containers`, {
    hint: 'use runc or crun built with CRIU for containers that must be moved',
  });
}
