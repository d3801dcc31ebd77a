import type { LinuxIDMapping, Mount, Spec } from '../generated/spec.ts';
import type { RootlessFacts } from './rootless.ts';

/**
 * Makes a config that an unprivileged user can run here: with a user namespace that maps all IDs that may be mapped,
 * and without a network namespace, which the user could not connect.
 *
 * @param spec the default config, which is changed
 */
export function rootlessSpec(spec: Spec, facts: RootlessFacts): Spec {
  const linux = spec.linux ?? {};
  linux.namespaces = (linux.namespaces ?? []).filter(({ type }) => type !== 'network');
  linux.namespaces.push({ type: 'user' });
  linux.uidMappings = facts.uids;
  linux.gidMappings = facts.gids;
  delete linux.resources;
  spec.mounts = (spec.mounts ?? []).map((mount) => rootlessMount(mount, facts));
  if (facts.procIsMasked) shareProc(spec);
  return spec;
}

/** A new sysfs needs a network namespace of its own, and a devpts with gid 5 needs that group. */
function rootlessMount(mount: Mount, { gids }: RootlessFacts): Mount {
  if (mount.destination === '/sys') {
    return { destination: '/sys', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] };
  }
  if (mount.options === undefined || isMapped(gids, 5)) return mount;
  return { ...mount, options: mount.options.filter((option) => option !== 'gid=5') };
}

function isMapped(mappings: readonly LinuxIDMapping[], id: number): boolean {
  return mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
}

/**
 * In a container whose /proc hides something, the kernel refuses every new procfs, so this shares its pids and its
 * /proc.
 */
function shareProc(spec: Spec): void {
  const linux = spec.linux ?? {};
  linux.namespaces = (linux.namespaces ?? []).filter(({ type }) => type !== 'pid');
  const shared: Mount = { destination: '/proc', source: '/proc', options: ['rbind', 'nosuid', 'noexec', 'nodev'] };
  spec.mounts = (spec.mounts ?? []).map((mount) => (mount.destination === '/proc' ? shared : mount));
}
