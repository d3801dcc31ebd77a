/** The tree of Debian forky with engines, crun, runc and CRIU, entered as a small machine (test/clients/enter-tree.sh). */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from '../../scripts/lib/paths.mjs';
import { loadVmLibrary } from '../../scripts/lib/vm.mjs';

/**
 * @param {string} work a directory that is there under its own path
 * @param {string} cgroup where its cgroup namespace begins; made here and removed by `end`
 */
export async function enterTree(work, cgroup) {
  const { ensureTree } = await loadVmLibrary();
  const tree = await ensureTree('forky', 'engines');
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--net', '--propagation', 'private'];
  mkdirSync(cgroup);
  const script = [inRoot('test/clients/enter-tree.sh'), tree, work, cgroup, inRoot('.')];
  const holder = spawn('unshare', [...namespaces, '--fork', '--kill-child', ...script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(holder, 'exit');
  while (!existsSync(path.join(work, 'ready'))) {
    if (holder.exitCode !== null) throw new Error('cannot enter the tree of Debian forky');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const pid = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim();
  const flags = ['--target', pid, '--mount', '--pid', '--ipc', '--uts', '--net', '--cgroup'];
  const enter = 'echo 0 >"$0"/engine/cgroup.procs; exec nsenter "$@"';
  return {
    /** @returns {string} what the command has written to stdout */
    run(command, bin = '/usr/local/sbin') {
      const env = { PATH: `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin`, HOME: '/root' };
      const options = { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
      return execFileSync('bash', ['-c', enter, cgroup, ...flags, '--', ...command], options);
    },
    async end() {
      process.kill(Number(pid), 'SIGKILL');
      await ended;
      // Those who entered it die with its namespace, but not all before its first process.
      for (let attempt = 0; existsSync(cgroup) && attempt < 100; attempt++) {
        spawnSync('find', [cgroup, '-depth', '-type', 'd', '-delete'], { stdio: 'ignore' });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}
