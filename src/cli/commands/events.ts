import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';
import { parseDuration } from '../duration.ts';

/** `tsrun events`: what a container uses, and its out-of-memory kills, as JSON lines that read like runc's. */
export const events: CommandDeclaration = {
  name: 'events',
  summary: 'print statistics and out-of-memory events of a container as JSON lines',
  arguments: [{ name: '<id>', description: 'the container’s name' }],
  options: [
    { flags: '--stats', description: 'print the statistics once and exit' },
    {
      flags: '--interval <duration>',
      description: 'time between statistics (default: 5s)',
      parse: parseDuration,
    },
  ],
  examples: ['tsrun events web', 'tsrun events --stats web | jq .data.memory.usage'],
  async run([id = ''], options, { root }) {
    const { followEvents, observe, statsEvent } = await import('../../container/events.ts');
    const { ContainerDirectory } = await import('../../container/store.ts');
    const { toJson } = await import('../../json.ts');
    const container = observe(new ContainerDirectory(root, id));
    const printEvent = (event: unknown) => print(`${toJson(event)}\n`);
    if (options.stats === true) printEvent(statsEvent(container));
    else followEvents(container, (options.interval as number | undefined) ?? 5000, printEvent);
    return 0;
  },
};
