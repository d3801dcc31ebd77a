/** Finds and removes what a sandbox has left on the host: processes, mounts, cgroups, state. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroup2Mount, parseMountInfo } from './host.ts';
import { waitFor } from './process.ts';

/**
 * Removes everything that belongs to the sandbox's directory and cgroup, and returns what it was.
 * @param directory the sandbox's temporary directory
 * @param cgroup the sandbox's own cgroup, relative to the cgroup2 mount
 */
export async function removeLeaks(directory: string, cgroup: string): Promise<string[]> {
  return [
    ...(await removeProcesses(directory, cgroup)),
    ...removeMounts(directory),
    ...(await removeCgroups(cgroup)),
    ...(await remainingScopes(cgroup)).map((scope) => `scope ${scope}`),
  ];
}

async function removeProcesses(directory: string, cgroup: string): Promise<string[]> {
  const pids = pidsOf(directory, cgroup);
  const leaks = pids.filter((pid) => !isDying(pid)).map((pid) => `process ${pid}: ${commandLine(pid)}`);
  for (const pid of pids) kill(pid);
  // Their mounts and cgroups can go only after them.
  await waitFor(`${pids.join(', ')} to die`, () => (pids.some(isAlive) ? undefined : true));
  return leaks;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** Whether the process runs; a zombie, which only its parent can remove, does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Whether SIGKILL is on its way to the process, or it is in exit(2) already: it has been ended, but on a busy machine
 * the kernel takes its time.
 */
function isDying(pid: number): boolean {
  const exiting = 0x4; // PF_EXITING of linux/sched.h, in the flags of proc_pid_stat(5)
  const sigkill = 1n << 8n;
  try {
    const flags = Number(
      readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')[6],
    );
    const pending = readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^S(?:ig|hd)Pnd:\s*([0-9a-f]+)$/gm);
    return (flags & exiting) !== 0 || [...pending].some(([, mask]) => (BigInt(`0x${mask}`) & sigkill) !== 0n);
  } catch {
    return true;
  }
}

/**
 * Processes in the sandbox's cgroup, or with its directory as their working directory, in their arguments or as their
 * root.
 */
function pidsOf(directory: string, cgroup: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && isAlive(pid) && belongs(pid, directory, cgroup));
}

/** Whether the process belongs to the sandbox with this directory and cgroup. */
export function belongs(pid: number, directory: string, cgroup: string): boolean {
  try {
    const proc = `/proc/${pid}`;
    if (readFileSync(`${proc}/cgroup`, 'utf8').includes(`0::${cgroup}/`)) return true;
    if (readFileSync(`${proc}/cmdline`, 'utf8').includes(directory)) return true;
    if (readlinkSync(`${proc}/cwd`).startsWith(directory)) return true;
    // A container has its own paths; only its mount table shows where its root comes from.
    const mounts = parseMountInfo(readFileSync(`${proc}/mountinfo`, 'utf8'));
    return mounts.some(({ root, mountPoint }) => mountPoint === '/' && root.startsWith(`${directory}/`));
  } catch {
    // It has ended meanwhile, or is a kernel thread or another user's process.
    return false;
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '(ended)';
  }
}

function removeMounts(directory: string): string[] {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map(({ mountPoint }) => mountPoint)
    .filter((mountPoint) => mountPoint === directory || mountPoint.startsWith(`${directory}/`));
  for (const mountPoint of mounts.reverse()) execFileSync('umount', ['--lazy', mountPoint]);
  return mounts.map((mountPoint) => `mount ${mountPoint}`);
}

/** The sandbox's own cgroup is made on the way to a container's and is no leak; those below it are. */
async function removeCgroups(cgroup: string): Promise<string[]> {
  const mount = cgroup2Mount();
  if (mount === undefined || !existsSync(join(mount, cgroup))) return [];
  const top = join(mount, cgroup);
  const below = directoriesBelow(top);
  for (const directory of [...below, top]) await removeCgroup(directory);
  return below.map((directory) => `cgroup ${directory}`);
}

/** Removes a cgroup that has none below it, once its last process is gone. */
export async function removeCgroup(directory: string): Promise<void> {
  await waitFor(`${directory} to be empty`, () => isRemoved(directory));
}

/** A process stays in its cgroup until the CPU has left it for good, which may be after it became a zombie. */
function isRemoved(directory: string): true | undefined {
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EBUSY') return undefined;
    if (code !== 'ENOENT') throw error;
  }
  return true;
}

/** The deepest first, because only then can they be removed. */
function directoriesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [...directoriesBelow(join(directory, name)), join(directory, name)]);
}

/**
 * The scopes that systemd made for the sandbox's containers. It ends a scope in its own time after the last process is
 * gone.
 */
async function remainingScopes(cgroup: string): Promise<string[]> {
  await waitFor('scopes to go', () => (scopesOf(cgroup).length > 0 ? undefined : true)).catch(() => {});
  return scopesOf(cgroup);
}

function scopesOf(cgroup: string): string[] {
  const slice = join(cgroup2Mount() ?? '', 'machine.slice');
  try {
    return readdirSync(slice).filter((name) => name.startsWith(`${cgroup.slice(1)}-`));
  } catch (error) {
    // systemd removes the slice after its last scope.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
