import { TsrunError } from '../errors.ts';
import type { OptionDeclaration, OptionValues } from './declaration.ts';

/** An option of `update`, and the property of linux.resources that it sets. */
interface ResourceOption extends OptionDeclaration {
  readonly section: 'memory' | 'cpu' | 'pids' | 'blockIO';
  readonly property: string;
}

type Described = readonly [flags: string, property: string, description: string];

/** runc's options, under its names. */
const resourceOptions: readonly ResourceOption[] = [
  ...declare('memory', parseBytes, [
    ['--memory <bytes>', 'limit', 'memory limit, such as 512M; -1 is no limit'],
    ['--memory-reservation <bytes>', 'reservation', 'memory that is reclaimed last'],
    ['--memory-swap <bytes>', 'swap', 'memory and swap together; -1 is no limit'],
  ]),
  ...declare('cpu', parseInteger, [
    ['--cpu-period <us>', 'period', 'period of the quota, in microseconds'],
    ['--cpu-quota <us>', 'quota', 'CPU time in a period, in microseconds; -1 is no limit'],
    ['--cpu-burst <us>', 'burst', 'CPU time that may be saved up for a burst, in microseconds'],
    ['--cpu-share <n>', 'shares', 'CPU weight against other containers, 2 to 262144'],
    ['--cpu-rt-period <us>', 'realtimePeriod', 'cgroup v1 only: refused'],
    ['--cpu-rt-runtime <us>', 'realtimeRuntime', 'cgroup v1 only: refused'],
    ['--cpu-idle <0|1>', 'idle', '1: run only when no other cgroup needs the CPU'],
  ]),
  ...declare('cpu', undefined, [
    ['--cpuset-cpus <list>', 'cpus', 'CPUs to run on, such as 0-3,7'],
    ['--cpuset-mems <list>', 'mems', 'memory nodes to use, such as 0-1'],
  ]),
  ...declare('pids', parseInteger, [['--pids-limit <n>', 'limit', 'largest number of tasks; -1 is no limit']]),
  ...declare('blockIO', parseInteger, [['--blkio-weight <n>', 'weight', 'block IO weight, 10 to 1000']]),
  ...hidden([
    ['--kernel-memory <bytes>', 'kernel', 'cgroup v1 only: refused'],
    ['--kernel-memory-tcp <bytes>', 'kernelTCP', 'cgroup v1 only: refused'],
  ]),
];

export const updateOptions: readonly OptionDeclaration[] = resourceOptions;

function declare(
  section: ResourceOption['section'],
  parse: ((text: string) => number) | undefined,
  options: readonly Described[],
): ResourceOption[] {
  return options.map(([flags, property, description]) => ({
    flags,
    description,
    section,
    property,
    ...(parse && { parse: (text: string) => parsed(flags, text, parse) }),
  }));
}

/** @throws TsrunError that names the option */
function parsed(flags: string, text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (error) {
    throw new TsrunError(`${flags.split(' ', 1)[0]}: ${(error as Error).message}`, { cause: error });
  }
}

function hidden(options: readonly Described[]): ResourceOption[] {
  return declare('memory', parseBytes, options).map((option) => ({ ...option, hidden: true }));
}

/** Puts the given options into a linux.resources, over the values that it has. */
export function withResourceOptions(resources: unknown, options: OptionValues): unknown {
  const result = { ...(resources as Record<string, object>) };
  for (const { flags, section, property } of resourceOptions) {
    const value = options[optionName(flags)];
    if (value !== undefined) result[section] = { ...result[section], [property]: value };
  }
  return result;
}

/** Does the same for options whose values are still text, as in a command that seldom has them. */
export function withResourceTexts(resources: unknown, options: OptionValues): unknown {
  const values: Record<string, unknown> = {};
  for (const { flags, parse } of resourceOptions) {
    const text = options[optionName(flags)];
    if (text !== undefined) values[optionName(flags)] = parse?.(text as string) ?? text;
  }
  return withResourceOptions(resources, values);
}

/** commander's name for an option: `--cpu-share <n>` is cpuShare. */
function optionName(flags: string): string {
  const [long = ''] = flags.slice(2).split(' ');
  return long.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function parseInteger(text: string): number {
  if (/^-?\d{1,20}$/.test(text)) return Number(text);
  throw new TsrunError(`expected a number, found ${JSON.stringify(text)}`);
}

const units: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Bytes from `1048576`, `512M`, `1.5GiB`: powers of 1024, as in runc.
 *
 * @throws TsrunError for other text
 */
export function parseBytes(text: string): number {
  if (text === '-1') return -1;
  const [, number, unit] = /^(\d{1,20}(?:\.\d{1,9})?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  if (number === undefined || unit === undefined) {
    throw new TsrunError(`expected a size such as 512M, or -1, found ${JSON.stringify(text)}`);
  }
  return Math.floor(Number(number) * 1024 ** (units[unit.toLowerCase()] ?? 0));
}
