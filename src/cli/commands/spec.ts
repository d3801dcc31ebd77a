import { join, resolve } from 'node:path';
import type { LinuxResources } from '../../generated/spec.ts';
import { print } from '../../output.ts';
import { bundleOf, bundleOption } from '../bundle-options.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun spec`: a config.json to start from. */
export const spec: CommandDeclaration = {
  name: 'spec',
  summary: 'write a config.json to start from',
  arguments: [{ name: '[command...]', description: 'the program and its arguments (default: sh)' }],
  options: [
    bundleOption,
    {
      flags: '-f, --config <file>',
      description: 'write to this file instead of the bundle’s config.json; - is stdout',
    },
    { flags: '--rootless', description: 'write a config that an ordinary user can run' },
    { flags: '--rootfs <dir>', description: 'root filesystem, relative to the bundle (default: rootfs)' },
    { flags: '--writable', description: 'let the container write to its root filesystem' },
    { flags: '--no-terminal', description: 'give the program no terminal' },
    { flags: '-e, --env <name=value>', description: 'set an environment variable (may be repeated)', repeated: true },
    { flags: '--hostname <name>', description: 'host name in the container (default: tsrun)' },
    { flags: '--memory <bytes>', description: 'memory limit, such as 512M' },
    { flags: '--pids-limit <n>', description: 'most tasks at a time' },
  ],
  examples: [
    'tsrun spec',
    'tsrun spec --rootless --bundle /home/me/bundle',
    'tsrun spec --no-terminal --writable --env PORT=80 -- httpd -f -p 80',
    'tsrun spec --memory 512M --pids-limit 100',
    'tsrun spec --config - | jq .mounts',
  ],
  passThrough: true,
  async run(command, options) {
    const { configured, writeSpec } = await import('../../template/template.ts');
    const spec = configured({
      rootless: options.rootless === true,
      rootfs: options.rootfs as string | undefined,
      writable: options.writable === true,
      terminal: options.terminal !== false,
      hostname: options.hostname as string | undefined,
      env: (options.env as string[] | undefined) ?? [],
      command,
    });
    if (options.memory !== undefined || options.pidsLimit !== undefined) {
      const { withResourceTexts } = await import('../resource-options.ts');
      const resources = withResourceTexts(spec.linux?.resources, options) as LinuxResources;
      spec.linux = { ...spec.linux, resources };
    }
    const file = options.config as string | undefined;
    if (file === '-') print(`${JSON.stringify(spec, null, 2)}\n`);
    else writeSpec(spec, file === undefined ? join(bundleOf(options), 'config.json') : resolve(file));
    return 0;
  },
};
