/**
 * A container without a mount namespace shares the host's mounts (config-linux.md, Namespaces: what is not listed is
 * inherited). chroot(2) puts it into its rootfs, and everything that would need a mount is refused, because the mount
 * would stay on the host.
 */
import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import { type Context, isInUserNamespace, sharesMounts } from '../context.ts';
import { rootfsPath } from './rootfs-path.ts';

/** @throws TsrunError for the first property that needs a mount, if the container has no mount namespace */
export function demandNoMounts(context: Context): void {
  if (!sharesMounts(context)) return;
  const found = Object.entries(askedMounts(context)).find(([, isAsked]) => isAsked);
  if (found === undefined) return;
  throw new TsrunError("without a mount namespace this would change the host's mounts", {
    about: found[0],
    hint: 'add { "type": "mount" } to /linux/namespaces, or remove the property',
  });
}

function askedMounts(context: Context): Record<string, boolean> {
  const { root, mounts } = context.spec;
  const { maskedPaths, readonlyPaths, rootfsPropagation, devices } = context.linux;
  return {
    '/mounts': !!mounts?.length,
    '/root/readonly': root?.readonly === true,
    '/linux/maskedPaths': !!maskedPaths?.length,
    '/linux/readonlyPaths': !!readonlyPaths?.length,
    '/linux/rootfsPropagation': !!rootfsPropagation,
    // If nodes cannot be made, the host's would be bound.
    '/linux/devices': isInUserNamespace(context) && devices?.some(({ type }) => type !== 'p') === true,
  };
}

/** Opens the root while init can still reach it; the container's user namespace may not. */
export function lowerOpenRoot(context: Context): Op[] {
  if (!sharesMounts(context)) return [];
  return [{ op: 'open-root', by: 'init', from: '/root/path', path: rootfsPath(context) }];
}

/** A process with CAP_SYS_CHROOT can leave such a root (chroot(2)); docs/security.md says so. */
export function lowerChroot(): Op[] {
  return [{ op: 'chroot-root', by: 'init', from: '/root/path' }];
}
