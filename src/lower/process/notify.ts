import type { Spec } from '../../generated/spec.ts';
import type { LowerOptions } from '../context.ts';

/** Where a container finds its socket for sd_notify(3); the same place as runc's. */
const directory = '/run/notify';

/** Of the socket in its directory, on the host and in the container. */
export const notifySocket = 'notify.sock';

/** It is mounted: not on the host. */
export function takesNotifySocket({ linux }: Spec): boolean {
  return linux?.namespaces?.some(({ type }) => type === 'mount') === true;
}

/** The config with the socket's directory as its last mount, so that no other hides it. */
export function withNotifySocket(spec: Spec, { notifyDirectory }: LowerOptions): Spec {
  if (notifyDirectory === undefined || !takesNotifySocket(spec)) return spec;
  // The directory and not the socket, which start only makes.
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
