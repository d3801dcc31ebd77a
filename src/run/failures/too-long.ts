import { readFileSync } from 'node:fs';

/** What execve(2) gets. */
export interface Vectors {
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/**
 * Why execve(2) says E2BIG (execve(2), Limits on size of arguments and environment): names the first string that is too
 * long, or the size of all.
 *
 * @param place of the two in the config, such as `/process`
 */
export function whatIsTooLong({ args, env }: Vectors, place: string): string {
  const most = 32 * pageSize();
  const long = tooLong(args, most);
  if (long >= 0) return `${place}/args/${long} has ${sizeOf(args[long])} bytes; ${most} is the most for one`;
  const longVariable = tooLong(env, most);
  if (longVariable >= 0) {
    const [name] = (env[longVariable] as string).split('=', 1);
    return `${place}/env/${longVariable} (${name?.slice(0, 60)}) has ${sizeOf(env[longVariable])} bytes; ${most} is the most for one`;
  }
  // Each string takes a pointer, too.
  const total = [...args, ...env].reduce((sum, text) => sum + sizeOf(text) + 8, 0);
  return `${place}/args and ${place}/env have ${total} bytes together; a quarter of RLIMIT_STACK is the most, and never more than 6 MiB`;
}

export const tooLongHint = 'hand large data over in a file or through stdin';

function tooLong(texts: readonly string[], most: number): number {
  return texts.findIndex((text) => sizeOf(text) > most);
}

/** Size with the terminating NUL. */
function sizeOf(text = ''): number {
  return Buffer.byteLength(text) + 1;
}

/** The page size of the first mapping, which is the executable's. */
function pageSize(): number {
  const [, kibibytes = '4'] = /^KernelPageSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/smaps', 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}
