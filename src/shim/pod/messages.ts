/**
 * The messages of containerd's sandbox service (api/runtime/sandbox/v1), and what the shim reads of the CRI's
 * PodSandboxConfig (k8s.io/cri-api, runtime.v1), which comes as the sandbox's options.
 */
import { anyMessage, timestampMessage as timestamp } from '../messages.ts';

export const createSandboxRequest = {
  sandbox_id: [1, 'string'],
  bundle_path: [2, 'string'],
  rootfs: [3, { type: [1, 'string'] }, 'repeated'],
  options: [4, anyMessage],
  netns_path: [5, 'string'],
} as const;

/** The first field of all requests. */
export const sandboxRequest = { sandbox_id: [1, 'string'] } as const;
export const sandboxStatusRequest = { sandbox_id: [1, 'string'], verbose: [2, 'bool'] } as const;
export const stopSandboxRequest = { sandbox_id: [1, 'string'], timeout_secs: [2, 'uint32'] } as const;

export const startSandboxResponse = { pid: [1, 'uint32'], created_at: [2, timestamp] } as const;
export const platformResponse = { platform: [1, { os: [1, 'string'], architecture: [2, 'string'] }] } as const;

export const sandboxStatusResponse = {
  sandbox_id: [1, 'string'],
  pid: [2, 'uint32'],
  state: [3, 'string'],
  info: [4, { key: [1, 'string'], value: [2, 'string'] }, 'repeated'],
  created_at: [5, timestamp],
  exited_at: [6, timestamp],
} as const;

export const sandboxMetricsResponse = {
  metrics: [1, { timestamp: [1, timestamp], id: [2, 'string'], data: [3, anyMessage] }],
} as const;

const idMapping = { host_id: [1, 'uint32'], container_id: [2, 'uint32'], length: [3, 'uint32'] } as const;

/** The CRI's NamespaceMode. */
export const namespaceMode = { pod: 0, container: 1, node: 2 } as const;

const securityContext = {
  namespace_options: [
    1,
    {
      network: [1, 'uint32'],
      pid: [2, 'uint32'],
      ipc: [3, 'uint32'],
      userns_options: [5, { mode: [1, 'uint32'], uids: [2, idMapping, 'repeated'], gids: [3, idMapping, 'repeated'] }],
    },
  ],
} as const;

export const podConfig = {
  hostname: [2, 'string'],
  dns_config: [
    4,
    { servers: [1, 'string', 'repeated'], searches: [2, 'string', 'repeated'], options: [3, 'string', 'repeated'] },
  ],
  linux: [
    8,
    {
      cgroup_parent: [1, 'string'],
      security_context: [2, securityContext],
      sysctls: [3, { key: [1, 'string'], value: [2, 'string'] }, 'repeated'],
    },
  ],
} as const;
