import { TsrunError } from '../errors.ts';
import type { Context } from './context.ts';

/** `[5, 12]` is Linux 5.12. */
export type KernelVersion = readonly [major: number, minor: number];

/** What every container needs: without cgroup.kill, delete could not end everything in a cgroup. */
export const oldestKernel: KernelVersion = [5, 14];

/**
 * Whether the host's kernel is this version or later. Distributions backport features, so an older version proves
 * nothing.
 */
export function kernelHas({ host }: Pick<Context, 'host'>, [major, minor]: KernelVersion): boolean {
  const { kernel } = host;
  return kernel.major > major || (kernel.major === major && kernel.minor >= minor);
}

/**
 * Demands a kernel version for a value that an older kernel would refuse with a bare EINVAL.
 *
 * @param pointer of the property, for the message
 * @throws TsrunError that names the version needed and the one that runs
 */
export function requireKernel(
  context: Pick<Context, 'host'>,
  pointer: string,
  what: string,
  since: KernelVersion,
): void {
  if (kernelHas(context, since)) return;
  throw new TsrunError(`${what} needs Linux ${since.join('.')}, this is ${context.host.kernel.release}`, {
    about: pointer,
    hint: 'run it on a newer kernel, or remove the property',
  });
}
