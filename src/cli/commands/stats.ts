import { addon } from '../../addon.ts';
import type { Sample } from '../../container/stats-table.ts';
import { print } from '../../output.ts';
import type { CommandDeclaration } from '../declaration.ts';
import { parseDuration } from '../duration.ts';

/** Time between the first two samples, which the first CPU column needs; never longer than the interval. */
const firstIntervalMs = 500;
const defaultIntervalMs = 2000;

/** Moves the cursor to the top left and clears below it: this flickers less than clearing first. */
const home = '\u001b[H\u001b[J';

/** `tsrun stats`: a live table of what containers use, for people; JSON lines for programs. */
export const stats: CommandDeclaration = {
  name: 'stats',
  summary: 'show live what running containers use',
  arguments: [{ name: '[ids...]', description: 'the containers (default: all running ones)' }],
  options: [
    { flags: '-f, --format <format>', description: 'output format', choices: ['table', 'json'], default: 'table' },
    { flags: '--no-stream', description: 'show it once and exit' },
    { flags: '--interval <duration>', description: 'time between updates (default: 2s)', parse: parseDuration },
  ],
  examples: ['tsrun stats', 'tsrun stats --no-stream web', 'tsrun stats --format json --interval 10s >> usage.jsonl'],
  async run(ids, options, { root }) {
    const { observeAll, sampleAll } = await import('../../container/stats.ts');
    const interval = (options.interval as number | undefined) ?? defaultIntervalMs;
    const look = () => sampleAll(observeAll(root, ids));
    const once = options.stream === false;
    const show = await printer(options.format === 'json', once);
    let earlier = look();
    if (options.format === 'json') show(earlier, []);
    if (options.format === 'json' && once) return 0;
    pause(Math.min(interval, firstIntervalMs));
    for (;;) {
      const now = look();
      show(now, earlier);
      if (once) return 0;
      earlier = now;
      pause(interval);
    }
  },
};

async function printer(json: boolean, once: boolean): Promise<(now: Sample[], earlier: Sample[]) => void> {
  const { toJson } = await import('../../json.ts');
  const { statsTable } = await import('../../container/stats-table.ts');
  if (json) return (now) => print(now.map(({ event }) => `${toJson(event)}\n`).join(''));
  // A file, a pipe or a terminal that cannot move its cursor gets one table after another.
  const before = !once && process.stdout.isTTY && process.env.TERM !== 'dumb' ? home : '';
  const trends = once ? undefined : new Map<string, number[]>();
  return (now, earlier) => {
    const byId = new Map(earlier.map((sample) => [sample.event.id, sample]));
    print(before + statsTable(now, byId, trends));
  };
}

function pause(milliseconds: number): void {
  addon().pollPriority([], milliseconds);
}
