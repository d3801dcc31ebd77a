import { bundleOf, bundleOption } from '../bundle-options.ts';
import type { CommandDeclaration } from '../declaration.ts';

/** `tsrun spec`: a config.json to start from. */
export const spec: CommandDeclaration = {
  name: 'spec',
  summary: 'write a config.json to start from',
  arguments: [],
  options: [bundleOption, { flags: '--rootless', description: 'one that an ordinary user can run' }],
  examples: ['tsrun spec', 'tsrun spec --rootless --bundle /home/me/bundle'],
  async run(_args, options) {
    const { writeSpec } = await import('../../bundle/template.ts');
    writeSpec(bundleOf(options), { rootless: options.rootless === true });
    return 0;
  },
};
