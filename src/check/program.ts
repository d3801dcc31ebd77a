import { join, posix } from 'node:path';
import type { Problem } from '../config/validate/finding.ts';
import { defaultPath } from '../lower/process/exec.ts';
import type { CheckContext } from './context.ts';
import { resolveInRootfs } from './rootfs.ts';

/**
 * Whether args[0] is in the root filesystem. Said only of programs that no mount can bring: what a mount hides or shows
 * is seen when the container is made.
 */
export function programProblems(context: CheckContext): Problem[] {
  const { spec, rootfs, probe } = context;
  const name = spec.process?.args?.[0];
  if (name === undefined || spec.process === undefined || probe.kindOf(rootfs) !== 'directory') return [];
  const { cwd, env = [] } = spec.process;
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice(5) ?? defaultPath;
  const candidates = name.includes('/')
    ? [posix.resolve(cwd, name)]
    : pathEntries(path, cwd).map((at) => join(at, name));
  if (candidates.some((candidate) => mayRun(context, candidate))) return [];
  const where = name.includes('/') ? 'is no executable file' : `is in no directory of PATH=${path}`;
  const message = `${JSON.stringify(name)} ${where} in the root filesystem ${rootfs}`;
  return [{ pointer: '/process/args/0', message, hint: 'paths count from the root filesystem, not from the host’s' }];
}

/** An empty entry is the working directory (exec(3)). */
function pathEntries(path: string, cwd: string): string[] {
  return path.split(':').map((entry) => posix.resolve(cwd, entry));
}

function mayRun({ spec, rootfs, probe }: CheckContext, candidate: string): boolean {
  const destinations = (spec.mounts ?? []).map(({ destination }) => posix.resolve('/', destination));
  const isMounted = (path: string) => destinations.some((at) => path === at || path.startsWith(`${at}/`));
  const found = resolveInRootfs(rootfs, candidate);
  if (isMounted(candidate) || (found !== undefined && isMounted(found.inside))) return true;
  if (found === undefined) return false;
  const kind = probe.kindOf(found.outside);
  return kind === 'program' || kind === 'unreachable';
}
