/** Memory that stays behind at a checkpoint, and comes after the restore, page by page (criu(8), lazy-pages). */
import { join } from 'node:path';
import { TsrunError } from '../../errors.ts';
import { ownCapabilities } from '../../host/facts.ts';
import { capabilityNames } from '../../linux/capabilities.ts';
import { isThere, textOf } from '../../there.ts';

/** Where `criu lazy-pages` listens, in its --work-dir. */
const daemonSocket = 'lazy-pages.socket';

/** In bytes: the kernel's default for /proc/sys/fs/pipe-max-size. CRIU wants larger pipes. */
const usualPipe = 1024 * 1024;

export interface LazySource {
  readonly lazyPages: boolean;
  readonly preDump: boolean;
  readonly pageServer: object | undefined;
}

/** @throws TsrunError for what would keep CRIU from serving pages after it has frozen the container */
export function demandLazySource({ lazyPages, preDump, pageServer }: LazySource): void {
  if (!lazyPages) return;
  if (preDump) throw new TsrunError('--lazy-pages leaves memory behind, and --pre-dump saves it: give one of them');
  if (pageServer === undefined) {
    throw new TsrunError('--lazy-pages needs --page-server ADDRESS:PORT', {
      hint: 'the checkpoint serves the memory there until `criu lazy-pages` has fetched it',
    });
  }
  const problem = pipeProblem();
  if (problem !== undefined) throw new TsrunError(problem.message, { hint: problem.hint });
}

/** CRIU (4.2.1) does not check whether it got its pipes, and fails once the first page is asked for. */
export function pipeProblem(): { message: string; hint: string } | undefined {
  const bit = 1n << BigInt(capabilityNames.indexOf('CAP_SYS_RESOURCE'));
  if ((ownCapabilities() & bit) !== 0n || Number(textOf('/proc/sys/fs/pipe-max-size')) > usualPipe) return undefined;
  return {
    message: '--lazy-pages: CRIU needs pipes larger than fs.pipe-max-size, and CAP_SYS_RESOURCE is missing',
    hint: 'run as root with all capabilities, or leave out --lazy-pages',
  };
}

/**
 * Demands the program that brings the pages. It is not connected to, because it serves the first that connects.
 *
 * @throws TsrunError when it has not been started
 */
export function demandDaemon(directory: string): void {
  if (isThere(join(directory, daemonSocket))) return;
  throw new TsrunError(`--lazy-pages: there is no ${daemonSocket} in ${directory}`, {
    hint: `first start \`criu lazy-pages --images-dir … --work-dir ${directory}\`; from another machine also with --page-server --address … --port …`,
  });
}
