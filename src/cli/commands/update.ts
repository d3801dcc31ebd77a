import type { UpdateRequest } from '../../container/update.ts';
import type { CommandDeclaration, OptionValues } from '../declaration.ts';
import { updateOptions, withResourceOptions } from '../resource-options.ts';

/** `tsrun update`: new limits for a running container. */
export const update: CommandDeclaration = {
  name: 'update',
  summary: 'change the limits of a running container',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [
    {
      flags: '-r, --resources <file>',
      description:
        'read the limits from this JSON file (- is stdin), in the form of /linux/resources; options take precedence',
    },
    ...updateOptions,
    { flags: '--l3-cache-schema <lines>', description: 'shares of the L3 cache for the container’s resctrl group' },
    {
      flags: '--mem-bw-schema <lines>',
      description: 'shares of the memory bandwidth for the container’s resctrl group',
    },
    {
      flags: '--device <rule>',
      description: 'allow or deny a device from now on: [allow|deny] a|b|c MAJOR:MINOR rwm',
      repeated: true,
      parse: parseRule,
    },
  ],
  examples: [
    'tsrun update --memory 512M --pids-limit 100 web',
    'tsrun update --cpu-quota 50000 --cpu-period 100000 web',
    'tsrun update --device "c 10:229 rw" web',
    'echo \'{"unified": {"memory.high": "256M"}}\' | tsrun update --resources - web',
  ],
  async run([id = ''], options, { root }) {
    const { updateContainer } = await import('../../container/update.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const { parseDeviceRule } = await import('../../linux/device-rules.ts');
    const rules = (options.device as string[] | undefined) ?? [];
    const file = await readResources(options);
    updateContainer(new ContainerDirectory(root, id), {
      resources: withResourceOptions(file?.value ?? {}, options),
      file,
      deviceRules: rules.map(parseDeviceRule),
      schemata: [options.l3CacheSchema, options.memBwSchema].filter((line) => line !== undefined) as string[],
    });
    return 0;
  },
};

/** A rule without `allow` or `deny` allows, as with docker's --device-cgroup-rule. */
function parseRule(text: string): string {
  return /^(allow|deny) /.test(text) ? text : `allow ${text}`;
}

type ResourcesFile = NonNullable<UpdateRequest['file']>;

async function readResources({ resources: file }: OptionValues): Promise<ResourcesFile | undefined> {
  if (file === undefined) return undefined;
  const { readNamedFile } = await import('../../config/read/read.ts');
  const { parseSpecText } = await import('../../config/read/parse.ts');
  const name = file === '-' ? 'stdin' : (file as string);
  const text = readNamedFile(file as string, '--resources');
  const value = parseSpecText(text, name);
  const { checkResources } = await import('../../container/update.ts');
  return { value: checkResources(value, text, name), text, path: name, base: '/linux/resources' };
}
