/**
 * Mounts the root filesystem that containerd describes on the bundle's rootfs, with mount(8), which does not block the
 * event loop.
 */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Status } from './ttrpc.ts';

export interface Mount {
  readonly type?: string;
  readonly source?: string;
  readonly target?: string;
  readonly options?: readonly string[];
}

/** Milliseconds after which a mount that hangs is given up. */
const patience = 30_000;

const run = promisify(execFile);

export async function mountRootfs(bundle: string, mounts: readonly Mount[]): Promise<void> {
  const rootfs = join(bundle, 'rootfs');
  if (mounts.length > 0) mkdirSync(rootfs, { recursive: true, mode: 0o711 });
  try {
    for (const mount of mounts) await mountOne(rootfs, mount);
  } catch (error) {
    await unmountRootfs(bundle);
    throw error;
  }
}

async function mountOne(rootfs: string, { type = '', source = '', target = '', options = [] }: Mount): Promise<void> {
  if (target !== '') throw new Status('unimplemented', `a mount with the target ${target}`);
  const isBind = type === 'bind' || options.some((option) => option === 'bind' || option === 'rbind');
  const list = options.length > 0 ? ['-o', options.join(',')] : isBind ? ['-o', 'bind'] : [];
  try {
    // Exactly as containerd wrote them: mount(8) reads no fstab and calls no mount.TYPE.
    await run('mount', ['-n', '-i', ...(isBind ? [] : ['-t', type]), ...list, '--', source, rootfs], {
      timeout: patience,
    });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`cannot mount ${source} on ${rootfs}: ${stderr.trim() || message}`);
  }
}

/** More mounts one above the other than any snapshotter makes. */
const mostMounts = 64;

/** Unmounts everything there, one above the other; if nothing is mounted, that is no error. */
export async function unmountRootfs(bundle: string): Promise<void> {
  for (let left = mostMounts; left > 0; left--) {
    try {
      await run('umount', ['-n', '-i', '-R', '-l', join(bundle, 'rootfs')], { timeout: patience });
    } catch {
      return;
    }
  }
}
