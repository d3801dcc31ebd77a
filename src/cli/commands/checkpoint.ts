import { resolve } from 'node:path';
import type { CheckpointRequest } from '../../container/checkpoint/checkpoint.ts';
import type { CriuFlags } from '../../container/checkpoint/options.ts';
import type { ContainerDirectory } from '../../container/store.ts';
import { TsrunError } from '../../errors.ts';
import type { CommandDeclaration, OptionDeclaration, OptionValues } from '../declaration.ts';

/** The options of both runc's checkpoint and restore, and crun's --tcp-close and --network-lock. */
export const criuOptions: readonly OptionDeclaration[] = [
  { flags: '--image-path <dir>', description: 'directory of the image files (default: ./checkpoint)' },
  { flags: '--work-path <dir>', description: 'directory of CRIU’s log (default: that of the images)' },
  { flags: '--tcp-established', description: 'keep open TCP connections' },
  { flags: '--tcp-close', description: 'do not keep them: the program finds them closed after restore' },
  { flags: '--ext-unix-sk', description: 'allow connections to Unix sockets outside of the container' },
  { flags: '--shell-job', description: 'allow a terminal or session that is the caller’s' },
  { flags: '--lazy-pages', description: 'leave memory behind, and fetch it page by page when it is used' },
  { flags: '--file-locks', description: 'keep file locks' },
  { flags: '--link-remap', description: 'allow open files that have been removed' },
  {
    flags: '--manage-cgroups-mode <mode>',
    description: 'what CRIU does with cgroups below the container’s own (default: soft)',
    choices: ['soft', 'full', 'strict', 'ignore', 'none', 'props'],
  },
  {
    flags: '--empty-ns <namespace>',
    description: 'leave this namespace to hooks: network',
    repeated: true,
    parse: parseNamespace,
  },
  { flags: '--auto-dedup', description: 'drop pages from images of pre-dumps that later ones have, too' },
  {
    flags: '--network-lock <method>',
    description: 'how CRIU holds packets back meanwhile (default: as CRIU has it)',
    choices: ['iptables', 'nftables', 'skip'],
  },
];

function parseNamespace(text: string): string {
  if (text === 'network') return text;
  throw new TsrunError(`--empty-ns ${text}: CRIU can leave out the network namespace only`);
}

export function criuFlags(options: OptionValues): CriuFlags {
  const path = (name: string) => (options[name] === undefined ? undefined : resolve(options[name] as string));
  return {
    imagePath: path('imagePath') ?? resolve('checkpoint'),
    workPath: path('workPath'),
    tcpEstablished: options.tcpEstablished === true,
    tcpClose: options.tcpClose === true,
    extUnixSk: options.extUnixSk === true,
    shellJob: options.shellJob === true,
    fileLocks: options.fileLocks === true,
    linkRemap: options.linkRemap === true,
    lazyPages: options.lazyPages === true,
    autoDedup: options.autoDedup === true,
    manageCgroupsMode: options.manageCgroupsMode as CriuFlags['manageCgroupsMode'],
    networkLock: options.networkLock as CriuFlags['networkLock'],
    emptyNetwork: ((options.emptyNs as string[] | undefined) ?? []).length > 0,
  };
}

/** `tsrun checkpoint`: saves a running container with CRIU. */
export const checkpoint: CommandDeclaration = {
  name: 'checkpoint',
  summary: 'save a running container to files (with CRIU)',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [
    ...criuOptions,
    { flags: '--parent-path <dir>', description: 'images of an earlier --pre-dump, counted from --image-path' },
    { flags: '--leave-running', description: 'leave the container running' },
    { flags: '--tcp-skip-in-flight', description: 'leave out TCP connections that are just being made' },
    {
      flags: '--status-fd <fd>',
      description: 'descriptor that gets a byte when lazy pages can be served',
      parse: parseDescriptor,
    },
    { flags: '--page-server <address:port>', description: 'send the memory to a page server' },
    { flags: '--pre-dump', description: 'save memory only, and leave the container running' },
    { flags: '--check', description: 'only say what CRIU could not save with these flags, and what helps' },
    {
      flags: '-f, --format <format>',
      description: 'output format of --check',
      choices: ['text', 'json'],
      default: 'text',
    },
  ],
  examples: [
    'tsrun checkpoint --check web',
    'tsrun checkpoint --image-path /backup/web web',
    'tsrun checkpoint --image-path /backup/web --leave-running --tcp-established web',
    'tsrun checkpoint --pre-dump --image-path /backup/pre1 web',
    'tsrun checkpoint --parent-path ../pre1 --image-path /backup/web web',
  ],
  async run([id = ''], options, { root }) {
    const { ContainerDirectory } = await import('../../container/store.ts');
    const directory = new ContainerDirectory(root, id);
    const request = await requestOf(options);
    if (options.check === true) return report(directory, request, options.format === 'json');
    if (options.format === 'json') {
      throw new TsrunError('--format is for --check', { hint: 'add --check, or leave it out' });
    }
    const { checkpointContainer } = await import('../../container/checkpoint/checkpoint.ts');
    checkpointContainer(directory, request);
    return 0;
  },
};

async function requestOf(options: OptionValues): Promise<CheckpointRequest> {
  const { demandStatusFd, parsePageServer } = await import('../../container/checkpoint/options.ts');
  const server = options.pageServer as string | undefined;
  const statusFd = options.statusFd as number | undefined;
  return {
    ...criuFlags(options),
    leaveRunning: options.leaveRunning === true,
    parentPath: options.parentPath as string | undefined,
    preDump: options.preDump === true,
    tcpSkipInFlight: options.tcpSkipInFlight === true,
    pageServer: server === undefined ? undefined : parsePageServer(server),
    statusFd: statusFd === undefined ? undefined : demandStatusFd(statusFd),
  };
}

/** Exits as `check` does. */
async function report(directory: ContainerDirectory, request: CheckpointRequest, asJson: boolean): Promise<number> {
  const { checkCheckpoint, checkpointJson, checkpointText } = await import('../../container/checkpoint/check/check.ts');
  const { print } = await import('../../output.ts');
  const found = checkCheckpoint(directory, request);
  print(asJson ? checkpointJson(found) : checkpointText(found));
  return found.errors.length === 0 ? 0 : 1;
}

function parseDescriptor(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new TsrunError(`--status-fd: expected a number, found ${JSON.stringify(text)}`);
  return Number(text);
}
