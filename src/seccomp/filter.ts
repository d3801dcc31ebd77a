/** Runs the op compile-seccomp: gets a profile's program from the cache, or compiles it. */
import { release } from 'node:os';
import { commit, version } from '../build-info.ts';
import type { LinuxSeccomp } from '../generated/spec.ts';
import { log } from '../log.ts';
import { FilterCache } from './cache.ts';
import { type CompiledFilter, compileFilter, libseccompVersion } from './compile.ts';

/**
 * @param cacheDirectory has earlier results
 * @throws TsrunError that names the property which libseccomp refuses
 */
export function filterOf(profile: LinuxSeccomp, cacheDirectory: string): CompiledFilter {
  const cache = new FilterCache(cacheDirectory);
  const key = keyOf(profile);
  const found = cache.find(key);
  if (found !== undefined) return found;
  const filter = compileFilter(profile);
  try {
    cache.store(key, filter);
  } catch (error) {
    log('debug', `seccomp: the compiled filter is not kept: ${(error as Error).message}`);
  }
  return filter;
}

/** Everything that the program depends on. */
function keyOf({ defaultAction, defaultErrnoRet, architectures, syscalls }: LinuxSeccomp): string {
  const made = `tsrun ${version} ${commit} ${process.arch} ${release()} libseccomp ${libseccompVersion()}`;
  return JSON.stringify([made, defaultAction, defaultErrnoRet, architectures, syscalls]);
}
