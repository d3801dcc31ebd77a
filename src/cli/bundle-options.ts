import { resolve } from 'node:path';
import { TsrunError } from '../errors.ts';
import type { LowerOptions } from '../lower/context.ts';
import type { GlobalOptions, OptionDeclaration, OptionValues } from './declaration.ts';

export const bundleOption: OptionDeclaration = {
  flags: '-b, --bundle <dir>',
  description: 'the bundle: a directory with config.json and the root filesystem',
  default: '.',
};

/** crun's option; everything else in the bundle stays. */
export const configOption: OptionDeclaration = {
  flags: '-f, --config <file>',
  description: 'read this file in place of the bundle’s config.json',
};

/** For users with docker's habits; stdin goes to the program anyway. */
export const interactiveOption: OptionDeclaration = {
  flags: '-i, --interactive',
  description: 'accepted for habit: stdin is always passed on',
  hidden: true,
};

/** Options of both create and run. */
export const createOptions: readonly OptionDeclaration[] = [
  bundleOption,
  { flags: '--console-socket <socket>', description: 'Unix socket that gets the master of the container’s terminal' },
  { flags: '--pidfd-socket <socket>', description: 'Unix socket that gets a pidfd of the init process' },
  { flags: '--pid-file <file>', description: 'write the init process’s pid to this file' },
  {
    flags: '--no-pivot',
    description: 'use MS_MOVE and chroot instead of pivot_root, for a root filesystem on a ramdisk',
  },
  { flags: '--no-new-keyring', description: 'keep the caller’s session keyring' },
  {
    flags: '--preserve-fds <n>',
    description: 'pass n more file descriptors to the container, from 3 on',
    parse: parseCount,
  },
];

export function bundleOf(options: OptionValues): string {
  return resolve(options.bundle as string);
}

/**
 * The lowering options that create, run, plan and check take from the command line; create adds what it finds in its
 * own process.
 */
export function lowerOptions(id: string, options: OptionValues, { rootless, cgroupManager }: GlobalOptions) {
  return {
    id,
    bundle: bundleOf(options),
    pidFile: options.pidFile as string | undefined,
    noPivot: options.pivot === false,
    noNewKeyring: options.newKeyring === false,
    rootless,
    cgroupManager,
    preserveFds: (options.preserveFds as number | undefined) ?? 0,
  } satisfies LowerOptions;
}

export function configOf(options: OptionValues): string | undefined {
  return options.config === undefined ? undefined : resolve(options.config as string);
}

export function parseCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new TsrunError(`--preserve-fds: expected a number, found ${JSON.stringify(text)}`);
  return Number(text);
}
