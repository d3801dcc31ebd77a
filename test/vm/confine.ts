import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';

/**
 * Starts a program as pid 1 of new pid and mount namespaces. It and all that it starts die with this process, however
 * this process ends: setpriv asks the kernel for a SIGKILL at our death, unshare does the same for its child, and with
 * pid 1 its whole namespace dies. Killing the returned process does the same.
 */
export function spawnConfined(command: readonly string[], stdio: StdioOptions): ChildProcess {
  const confine = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // Settings of the caller's shell must not change what a VM does; the programs need only a PATH.
  const env = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: '/root',
  };
  return spawn('setpriv', [...confine, ...command], { stdio, env, cwd: '/' });
}

/** Resolves with the exit code; 128 for any signal, because its number does not matter here. */
export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
}
