/**
 * A config.json that is eight times as long takes eight times the work, whatever it has more of: a long list cannot
 * hold up a command, and with it an engine. Compares the CPU times of two runs, with room for noise and sorting;
 * quadratic work would take 64 times as long.
 */
import t from 'tap';
import { type Bundle, defaultSpec, requires, run, runsOnNode, runtimePath, sandbox } from '../../harness/index.ts';
import { type LargeConfig, largeConfigs, listsOfSchema } from './large-configs.ts';

/** Both forms have the same loops, and starting Node takes longer than most of them. */
const skip = requires({ runtime: 'tsrun', commands: ['bash'] }) || (runsOnNode && 'is about the executable');

/** The long config is so many times as long as the short one … */
const growth = 8;
/** … and may take so many times its CPU time. */
const bound = 24;

/** Seconds of CPU time, user and system, of `plan` for such a config. */
async function secondsOf(bundle: Bundle, { edit }: LargeConfig, count: number): Promise<number> {
  const spec = defaultSpec();
  edit(spec, count);
  bundle.writeRaw(JSON.stringify(spec));
  const script = 'TIMEFORMAT="%3U %3S"; time "$@" > /dev/null 2>&1 || [ $? = 1 ]';
  const command = [runtimePath, 'plan', '--bundle', bundle.directory];
  const { code, stderr } = await run('bash', ['-c', script, 'bash', ...command]);
  if (code !== 0) throw new Error(`plan ended with ${code}: ${stderr}`);
  const [user = Number.NaN, system = Number.NaN] = stderr.split(' ').map(Number);
  return user + system;
}

/** The best of three: other work on the machine makes a command slower, never faster. */
async function ratio(bundle: Bundle, config: LargeConfig): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && best > bound; i++) {
    const short = await secondsOf(bundle, config, config.few);
    const long = await secondsOf(bundle, config, config.few * growth);
    best = Math.min(best, long / short);
  }
  return best;
}

t.test('every list of the specification is tested', async (t) => {
  const tried = largeConfigs.map(({ name }) => name.replace(/:.*/, ''));
  t.same([...new Set(tried)].sort(), listsOfSchema().sort());
});

t.test('the time grows with the length of a list, and no faster', { skip }, async (t) => {
  const bundle = sandbox(t).bundle();
  for (const config of largeConfigs) {
    const times = await ratio(bundle, config);
    t.ok(times < bound, `${config.name}: ${growth} times as many take ${times.toFixed(1)} times as long`);
  }
});
