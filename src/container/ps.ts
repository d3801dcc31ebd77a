import { addon } from '../addon.ts';
import { cgroupPids } from '../cgroup/processes.ts';
import { errorCode, systemHint, TsrunError } from '../errors.ts';
import type { ContainerDirectory } from './store.ts';

/**
 * Sorted pids of all processes of a container, as this pid namespace has them.
 *
 * @throws TsrunError when the container has no cgroup, as only that tells its processes
 */
export function containerPids(directory: ContainerDirectory): number[] {
  const { cgroup } = directory.read();
  if (cgroup === null) {
    throw new TsrunError('the processes of a container without a cgroup are not known', {
      hint: 'tsrun exec ID ps asks inside the container',
    });
  }
  return cgroupPids(cgroup).sort((a, b) => a - b);
}

/**
 * Runs the host's ps(1) and keeps only the container's processes, as runc does.
 *
 * @param args arguments of ps; they must ask for a PID column
 */
export function processTable(pids: readonly number[], args: readonly string[]): string {
  const { code, stdout, stderr } = args.length > 0 ? runPs(args) : psOf(pids);
  if (code !== 0) throw new TsrunError(`ps failed: ${stderr.trim()}`);
  const [header = '', ...lines] = stdout.trimEnd().split('\n');
  const column = header.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new TsrunError("couldn't find PID field in ps output", { hint: 'let ps print a PID column' });
  const wanted = new Set(pids.map(String));
  const kept = lines.filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ''));
  return [header, ...kept].map((line) => `${line}\n`).join('');
}

/** More would make an argument longer than execve(2) takes (128 KiB). */
const mostAsked = 10_000;

/** Asks for the container's processes only, as ps reads some files of every process that it may print. */
function psOf(pids: readonly number[]) {
  const isAsked = pids.length > 0 && pids.length <= mostAsked;
  const asked = isAsked ? runPs(['-f', '-q', pids.join()]) : undefined;
  // ps -q also fails when all of them have ended meanwhile, and busybox's ps can only print all processes.
  return asked?.code === 0 ? asked : runPs(['-ef']);
}

function runPs(args: readonly string[]) {
  try {
    return addon().runProgram(['ps', ...args]);
  } catch (error) {
    throw new TsrunError(`cannot run ps: ${errorCode(error)}`, { hint: psHint(error) });
  }
}

export function psHint(error: unknown): string | undefined {
  return errorCode(error) === 'ENOENT' ? 'install it (procps), or use --format json' : systemHint(error);
}
