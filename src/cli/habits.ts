/** What users of docker, podman or ps type by habit, and its name here. */

const commandHints: Readonly<Record<string, string>> = {
  ls: 'tsrun list',
  rm: 'tsrun delete ID; --force kills it first',
  stop: 'tsrun kill ID TERM (KILL if the program ignores it), tsrun wait ID, tsrun delete ID',
  top: 'tsrun ps ID, or tsrun stats for what it uses',
  logs: 'tsrun keeps no output: it goes where stdout and stderr of run or create go',
  version: 'tsrun --version',
  help: 'tsrun --help, or tsrun COMMAND --help',
  attach: 'run and exec --tty connect a terminal',
  restart: 'tsrun kill ID TERM (KILL if the program ignores it), tsrun wait ID, tsrun delete ID, and run it again',
  history: 'tsrun has no images: docker, podman or buildah unpack them to a bundle',
  cp: 'tsrun exec ID tar -c PATH | tar -x copies out of a container, tsrun exec ID tar -x into it',
  port: 'tsrun makes no networks: a hook or an engine does',
  network: 'tsrun makes no networks: a hook or an engine does',
  volume: 'tsrun has no volumes: a directory of the host is one, in /mounts of the config',
  diff: 'tsrun plan --diff, for what differs from another config',
  unpause: 'tsrun resume ID',
  rename: 'a container keeps its name: delete it and create it again',
  images: 'tsrun has no images: docker, podman or buildah unpack them to a bundle',
  pull: 'tsrun has no images: docker, podman or buildah unpack them to a bundle',
  build: 'tsrun has no images: docker, podman or buildah make them',
};

const inConfig = (pointer: string) => `it is in the config: ${pointer}, see tsrun spec`;

/** Keyed by command; create and run share one list. */
const optionHints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  run: { '--rm': 'run deletes the container when it ends, unless --keep is given' },
  create: {
    '--name': 'the name is the argument: tsrun run NAME',
    '--rm': 'tsrun run deletes the container when it ends; what create makes, tsrun delete removes',
    '-v': inConfig('/mounts'),
    '--volume': inConfig('/mounts'),
    '--mount': inConfig('/mounts'),
    '-e': inConfig('/process/env'),
    '--env': inConfig('/process/env'),
    '-u': inConfig('/process/user'),
    '--user': inConfig('/process/user'),
    '-w': inConfig('/process/cwd'),
    '--workdir': inConfig('/process/cwd'),
    '--hostname': inConfig('/hostname'),
    '--memory': `${inConfig('/linux/resources/memory')}; tsrun update changes it`,
    '--cpus': `${inConfig('/linux/resources/cpu')}; tsrun update changes it`,
    '--cap-add': inConfig('/process/capabilities'),
    '--cap-drop': inConfig('/process/capabilities'),
    '--privileged': inConfig('/process/capabilities, /linux/devices, /linux/seccomp and /linux/maskedPaths'),
    '-p': 'tsrun makes no networks: a hook or an engine does',
    '--publish': 'tsrun makes no networks: a hook or an engine does',
    '--network': 'it is in the config: a path in /linux/namespaces joins a network',
  },
  kill: {
    '-s': 'the signal is the second argument: tsrun kill ID SIGNAL',
    '--signal': 'the signal is the second argument: tsrun kill ID SIGNAL',
  },
  delete: {
    '--all': 'tsrun delete --regex . takes all that have stopped or wait for start; --force those that run, too',
  },
  exec: { '-w': 'here it is --cwd', '--workdir': 'here it is --cwd', '--name': 'the container is the first argument' },
  list: { '-a': 'list shows stopped containers, too', '--all': 'list shows stopped containers, too' },
};

/**
 * @param message of commander's, about an unknown command or option
 * @param command that was given, such as `tsrun run`
 */
export function habitHint(message: string, command: string): string | undefined {
  if (command === 'tsrun ps' && message.startsWith('missing required argument')) return 'tsrun list shows containers';
  const [, kind, word = ''] = /^unknown (command|option) '([^'=]+)/.exec(message) ?? [];
  if (kind === 'command') return Object.hasOwn(commandHints, word) ? commandHints[word] : undefined;
  const name = command.split(' ')[1] ?? '';
  const tables = [optionHints[name], ...(name === 'run' ? [optionHints.create] : [])];
  return tables.map((table) => (table && Object.hasOwn(table, word) ? table[word] : undefined)).find(Boolean);
}
