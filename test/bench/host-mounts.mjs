/** Many mounts in the mount namespace of the benchmark, as on a host with many containers. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

const count = 2000;

export async function withHostMounts(work, action) {
  const at = path.join(work, 'mounts');
  mkdirSync(at);
  // One mount with all of them below it, so that they can be removed at once.
  execFileSync('mount', ['-t', 'tmpfs', 'tsrun-bench', at]);
  const script = 'for i in $(seq "$2"); do mkdir "$1/$i" && mount -t tmpfs tsrun-bench "$1/$i" || exit 1; done';
  try {
    execFileSync('sh', ['-c', script, 'sh', at, String(count)]);
    return await action();
  } finally {
    execFileSync('umount', ['--recursive', '--lazy', at]);
  }
}
