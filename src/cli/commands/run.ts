import { configOption, createOptions, interactiveOption } from '../bundle-options.ts';
import type { CommandDeclaration } from '../declaration.ts';
import { createFrom } from './create.ts';

/** `tsrun run`: create, start, wait, delete. */
export const run: CommandDeclaration = {
  name: 'run',
  summary: 'create, start and wait for a container, then delete it',
  arguments: [{ name: '<id>', description: 'the new container’s name' }],
  options: [
    ...createOptions,
    configOption,
    { flags: '-t, --tty', description: 'give the program a terminal, whatever /process/terminal says' },
    interactiveOption,
    { flags: '-d, --detach', description: 'leave the container running and return' },
    { flags: '--keep', description: 'do not delete the container when it ends' },
    { flags: '--timing', description: 'show on stderr what the start takes its time for, as bars' },
    { flags: '--no-subreaper', description: 'accepted for compatibility: tsrun is never a subreaper', hidden: true },
  ],
  examples: [
    'tsrun run --bundle /containers/job job1',
    'tsrun run -it shell',
    'tsrun run --detach --pid-file /run/web.pid web',
    'tsrun run --timing web',
  ],
  async run([id = ''], options, globals) {
    if (options.timing === true) await showTiming();
    const detach = options.detach === true;
    const created = await createFrom(id, options, globals, { detached: detach, starts: true });
    const { runCreated } = await import('../../container/run.ts');
    return runCreated(created, { detach, keep: options.keep === true });
  },
};

async function showTiming(): Promise<void> {
  const { configureTiming } = await import('../../run/trace.ts');
  const { timingText } = await import('../../run/timing.ts');
  const { printError } = await import('../../output.ts');
  const { hasColours, styles } = await import('../../style.ts');
  const style = styles(hasColours(process.stderr));
  configureTiming((spans) => printError(timingText(spans, style)));
}
