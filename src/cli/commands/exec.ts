import type { ExecRequest } from '../../container/exec.ts';
import type { ProcessOptions } from '../../container/exec-process.ts';
import { TsrunError } from '../../errors.ts';
import { demandDescriptors } from '../../host/descriptors.ts';
import { interactiveOption, parseCount } from '../bundle-options.ts';
import type { CommandDeclaration, OptionDeclaration, OptionValues } from '../declaration.ts';

/** All options that shape the process; `plan --exec` takes them, too. */
export const execOptions: readonly OptionDeclaration[] = [
  { flags: '--console-socket <socket>', description: 'Unix socket that gets the master of the terminal' },
  { flags: '--pidfd-socket <socket>', description: 'Unix socket that gets a pidfd of the process' },
  { flags: '--cwd <dir>', description: 'working directory in the container' },
  { flags: '-e, --env <name=value>', description: 'set an environment variable (may be repeated)', repeated: true },
  { flags: '-t, --tty', description: 'give the process a terminal' },
  interactiveOption,
  {
    flags: '-u, --user <user>',
    description: 'uid or user name, and, after a colon, gid or group name',
    parse: demandUser,
  },
  { flags: '-g, --additional-gids <gid>', description: 'one more group (may be repeated)', repeated: true },
  { flags: '-p, --process <file>', description: 'read the process from this JSON file instead of the command line' },
  { flags: '-d, --detach', description: 'leave the process running and return' },
  { flags: '--pid-file <file>', description: 'write the process’s pid to this file' },
  { flags: '--process-label <label>', description: 'SELinux label of the process' },
  { flags: '--apparmor <profile>', description: 'AppArmor profile of the process' },
  { flags: '--no-new-privs', description: 'set no_new_privs' },
  { flags: '-c, --cap <capability>', description: 'one more capability (may be repeated)', repeated: true },
  {
    flags: '--preserve-fds <n>',
    description: 'pass n more file descriptors to the process, from 3 on',
    parse: parseCount,
  },
  { flags: '--cgroup <path>', description: 'run in this cgroup below the container’s' },
  { flags: '--ignore-paused', description: 'go ahead even when the container is paused' },
];

/** Refuses an empty user: it would mean none, and so the container's own user, which is mostly root. */
function demandUser(text: string): string {
  if (text === '') throw new TsrunError('--user: must not be empty', { hint: 'leave it out for the container’s user' });
  return text;
}

/** `tsrun exec`: one more process in a container. */
export const exec: CommandDeclaration = {
  name: 'exec',
  summary: 'run one more process in a container',
  arguments: [
    { name: '<id>', description: 'the container’s name' },
    { name: '[command...]', description: 'the program and its arguments (not with --process)' },
  ],
  options: execOptions,
  examples: ['tsrun exec web ps', 'tsrun exec -it web sh', 'tsrun exec --detach --process process.json web'],
  passThrough: true,
  failureCode: 255,
  failurePrefix: 'exec failed: ',
  async run([id = '', ...command], options, { root }) {
    const { execInContainer } = await import('../../container/exec.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    return execInContainer(new ContainerDirectory(root, id), await execRequest(command, options));
  },
};

export async function execRequest(command: readonly string[], options: OptionValues): Promise<ExecRequest> {
  const { parseUser, processMaker } = await import('../../container/exec-process.ts');
  const user = options.user === undefined ? {} : parseUser(options.user as string);
  const text = (name: string) => options[name] as string | undefined;
  return {
    process: processMaker({
      command,
      file: await processFile(text('process')),
      cwd: text('cwd'),
      env: (options.env as string[] | undefined) ?? [],
      tty: options.tty === true,
      user,
      additionalGids: (options.additionalGids as string[] | undefined) ?? [],
      label: text('processLabel'),
      apparmor: text('apparmor'),
      // commander's name for --no-new-privs.
      noNewPrivileges: options.newPrivs === false,
      capabilities: (options.cap as string[] | undefined) ?? [],
    }),
    detach: options.detach === true,
    pidFile: text('pidFile'),
    consoleSocket: text('consoleSocket'),
    pidfdSocket: text('pidfdSocket'),
    preserveFds: demandDescriptors((options.preserveFds as number | undefined) ?? 0),
    cgroup: text('cgroup'),
    ignorePaused: options.ignorePaused === true,
    userName: user.userName,
    groupName: user.groupName,
  };
}

/** The function that reads --process. Only an exec with that option loads the schema. */
async function processFile(path: string | undefined): Promise<ProcessOptions['file']> {
  if (path === undefined) return undefined;
  const { readProcessFile } = await import('../../container/process-file.ts');
  return () => readProcessFile(path);
}
