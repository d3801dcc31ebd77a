/**
 * The container that holds a pod's namespaces, without an image: its only program is the keeper's `pause`. containerd has
 * the pod's containers join the namespaces of its process.
 */
import { basename, join } from 'node:path';
import type { Spec } from '../../generated/spec.ts';
import type { Message } from '../../protobuf/wire.ts';
import { keeperProgram } from '../programs.ts';
import { Status } from '../ttrpc.ts';
import { namespaceMode, type podConfig } from './messages.ts';

export type PodConfig = Message<typeof podConfig>;

/** As the pause images have it. */
const nobody = 65535;

export interface PodPlace {
  readonly id: string;
  /** containerd's namespace. */
  readonly namespace: string;
  /** Path of the pod's network namespace; '' for the host's. */
  readonly network: string;
}

/** @throws Status for what the shim cannot do */
export function podSpec(config: PodConfig, place: PodPlace): Spec {
  const { linux = {}, hostname = '' } = config;
  const modes = linux.security_context?.namespace_options ?? {};
  // An absent number is 0, which is the pod's.
  if (modes.userns_options !== undefined && (modes.userns_options.mode ?? namespaceMode.pod) === namespaceMode.pod) {
    throw new Status('unimplemented', 'a pod in a user namespace: use sandboxer = "podsandbox" for it');
  }
  const isHostNetwork = place.network === '';
  return {
    ociVersion: '1.1.0',
    root: { path: 'rootfs', readonly: true },
    ...(!isHostNetwork && hostname !== '' && { hostname }),
    process: {
      args: ['/pause', 'pause'],
      cwd: '/',
      env: [],
      user: { uid: nobody, gid: nobody },
      noNewPrivileges: true,
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      { destination: '/pause', source: keeperProgram(), options: ['bind', 'ro', 'nosuid', 'nodev'] },
    ],
    linux: {
      namespaces: [
        { type: 'mount' },
        ...(isHostNetwork ? [] : [{ type: 'network', path: place.network } as const, { type: 'uts' } as const]),
        ...(modes.ipc === namespaceMode.node ? [] : [{ type: 'ipc' } as const]),
        ...(modes.pid === namespaceMode.node ? [] : [{ type: 'pid' } as const]),
      ],
      cgroupsPath: cgroupsPath(linux.cgroup_parent ?? '', place),
      sysctl: Object.fromEntries((linux.sysctls ?? []).map(({ key = '', value = '' }) => [key, value])),
      maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/sys/firmware'],
      readonlyPaths: ['/proc/sys', '/proc/sysrq-trigger'],
    },
  } as Spec;
}

/** As containerd's CRI plugin forms it for containers. */
function cgroupsPath(parent: string, { id, namespace }: PodPlace): string {
  if (parent === '') return `/${namespace}/${id}`;
  const slice = basename(parent);
  return slice.endsWith('.slice') ? `${slice}:cri-containerd:${id}` : join(parent, id);
}
