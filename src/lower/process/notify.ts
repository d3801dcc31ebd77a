import type { Spec } from '../../generated/spec.ts';
import type { LowerOptions } from '../context.ts';

/** Where a container finds its sd_notify(3) socket; the same place as in runc. */
const directory = '/run/notify';

/** Name of the socket in its directory, on the host and in the container. */
export const notifySocket = 'notify.sock';

/** False without a mount namespace: the directory is mounted, which must not happen on the host. */
export function takesNotifySocket({ linux }: Spec): boolean {
  return linux?.namespaces?.some(({ type }) => type === 'mount') === true;
}

/** The config with the socket's directory as its last mount, so that no other mount hides it. */
export function withNotifySocket(spec: Spec, { notifyDirectory }: LowerOptions): Spec {
  if (notifyDirectory === undefined || !takesNotifySocket(spec)) return spec;
  // The directory and not the socket, which only start makes.
  const mount = {
    destination: directory,
    source: notifyDirectory,
    options: ['bind', 'nosuid', 'noexec', 'nodev', 'ro'],
  };
  const changed: Spec = { ...spec, mounts: [...(spec.mounts ?? []), mount] };
  if (spec.process !== undefined) {
    const env = [...(spec.process.env ?? []), `NOTIFY_SOCKET=${directory}/${notifySocket}`];
    changed.process = { ...spec.process, env };
  }
  return changed;
}
