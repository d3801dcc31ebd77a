/**
 * A real root filesystem from Debian's busybox-static, made once for each machine and user, and copied for each bundle.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a fresh, writable copy of the busybox root filesystem at `destination`, which must not exist. */
export function busyboxRootfs(destination: string): void {
  execFileSync('cp', ['-a', cachedRootfs(), destination]);
}

/** The original of all copies; no container may run in it. */
function cachedRootfs(): string {
  const busybox = findBusybox();
  const { size, mtimeMs } = statSync(busybox);
  const cached = join(tmpdir(), `tsrun-test-rootfs-${process.getuid?.()}-${size}-${Math.trunc(mtimeMs)}`);
  if (existsSync(cached)) return cached;
  const draft = mkdtempSync(`${cached}.`);
  populate(draft, busybox);
  try {
    renameSync(draft, cached);
  } catch {
    // Another test file was faster; its copy is as good.
    rmSync(draft, { recursive: true, force: true });
  }
  return cached;
}

function findBusybox(): string {
  const found = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync);
  if (found === undefined) throw new Error('busybox-static is not installed; run: scripts/setup.sh test');
  return found;
}

function populate(rootfs: string, busybox: string): void {
  for (const directory of ['bin', 'dev', 'etc', 'home/user', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/bin', 'var']) {
    mkdirSync(join(rootfs, directory), { recursive: true });
  }
  execFileSync('chmod', ['1777', join(rootfs, 'tmp')]);
  execFileSync('chmod', ['755', rootfs]);
  copyFileSync(busybox, join(rootfs, 'bin/busybox'));
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).split('\n');
  for (const applet of applets) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', applet));
  }
  const file = (path: string, lines: string[]) => writeFileSync(join(rootfs, path), `${lines.join('\n')}\n`);
  file('etc/passwd', ['root:x:0:0:root:/root:/bin/sh', 'user:x:1000:1000:a user:/home/user:/bin/sh']);
  file('etc/group', ['root:x:0:', 'tty:x:5:', 'user:x:1000:']);
}
