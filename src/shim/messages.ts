/**
 * The messages of containerd's API that the shim uses, with the numbers from its .proto files (api/runtime, api/events,
 * api/types).
 */

const any = { type_url: [1, 'string'], value: [2, 'bytes'] } as const;
export const timestampMessage = { seconds: [1, 'int64'], nanos: [2, 'int32'] } as const;
const mount = {
  type: [1, 'string'],
  source: [2, 'string'],
  target: [3, 'string'],
  options: [4, 'string', 'repeated'],
} as const;

/** ttrpc's own. */
export const request = {
  service: [1, 'string'],
  method: [2, 'string'],
  payload: [3, 'bytes'],
  timeout_nano: [4, 'int64'],
  metadata: [5, { key: [1, 'string'], value: [2, 'string'] }, 'repeated'],
} as const;

export const response = {
  status: [1, { code: [1, 'int32'], message: [2, 'string'] }],
  payload: [2, 'bytes'],
} as const;

export const createRequest = {
  id: [1, 'string'],
  bundle: [2, 'string'],
  rootfs: [3, mount, 'repeated'],
  terminal: [4, 'bool'],
  stdin: [5, 'string'],
  stdout: [6, 'string'],
  stderr: [7, 'string'],
  checkpoint: [8, 'string'],
  options: [10, any],
} as const;

/** From io.containerd.runc.v2, whose callers send them to any runtime of its kind. */
export const runcOptions = {
  no_pivot_root: [1, 'bool'],
  no_new_keyring: [2, 'bool'],
  shim_cgroup: [3, 'string'],
  io_uid: [4, 'uint32'],
  io_gid: [5, 'uint32'],
  binary_name: [6, 'string'],
  root: [7, 'string'],
  systemd_cgroup: [9, 'bool'],
  criu_image_path: [10, 'string'],
  criu_work_path: [11, 'string'],
  task_api_address: [12, 'string'],
  task_api_version: [13, 'uint32'],
} as const;

/** From runtimeoptions.v1, for runtimes that the caller does not know. */
export const runtimeOptions = {
  type_url: [1, 'string'],
  config_path: [2, 'string'],
  config_body: [3, 'bytes'],
} as const;

export const anyMessage = any;

/** The first field of all requests. */
export const taskRequest = { id: [1, 'string'] } as const;

/** The fields of most requests: the container, and the id of an exec process. */
export const processRequest = { id: [1, 'string'], exec_id: [2, 'string'] } as const;

export const execRequest = {
  ...processRequest,
  terminal: [3, 'bool'],
  stdin: [4, 'string'],
  stdout: [5, 'string'],
  stderr: [6, 'string'],
  spec: [7, any],
} as const;

export const killRequest = { ...processRequest, signal: [3, 'uint32'], all: [4, 'bool'] } as const;
export const closeIoRequest = { ...processRequest, stdin: [3, 'bool'] } as const;
export const resizeRequest = { ...processRequest, width: [3, 'uint32'], height: [4, 'uint32'] } as const;
export const updateRequest = { id: [1, 'string'], resources: [2, any] } as const;

export const checkpointRequest = { id: [1, 'string'], path: [2, 'string'], options: [3, any] } as const;

/** Options of a checkpoint, from io.containerd.runc.v2, too. */
export const checkpointOptions = {
  exit: [1, 'bool'],
  open_tcp: [2, 'bool'],
  external_unix_sockets: [3, 'bool'],
  terminal: [4, 'bool'],
  file_locks: [5, 'bool'],
  empty_namespaces: [6, 'string', 'repeated'],
  cgroups_mode: [7, 'string'],
  image_path: [8, 'string'],
  work_path: [9, 'string'],
} as const;

export const pidResponse = { pid: [1, 'uint32'] } as const;
export const waitResponse = { exit_status: [1, 'uint32'], exited_at: [2, timestampMessage] } as const;
export const deleteResponse = {
  pid: [1, 'uint32'],
  exit_status: [2, 'uint32'],
  exited_at: [3, timestampMessage],
} as const;
export const connectResponse = { shim_pid: [1, 'uint32'], task_pid: [2, 'uint32'], version: [3, 'string'] } as const;
export const statsResponse = { stats: [1, any] } as const;
export const pidsResponse = { processes: [1, { pid: [1, 'uint32'] }, 'repeated'] } as const;

export const stateResponse = {
  id: [1, 'string'],
  bundle: [2, 'string'],
  pid: [3, 'uint32'],
  status: [4, 'uint32'],
  stdin: [5, 'string'],
  stdout: [6, 'string'],
  stderr: [7, 'string'],
  terminal: [8, 'bool'],
  exit_status: [9, 'uint32'],
  exited_at: [10, timestampMessage],
  exec_id: [11, 'string'],
} as const;

/** containerd.v1.types.Status */
export const taskStatus = { created: 1, running: 2, stopped: 3, paused: 4 } as const;

export const runtimeInfo = {
  name: [1, 'string'],
  version: [2, { version: [1, 'string'], revision: [2, 'string'] }],
  features: [4, any],
} as const;

export const forwardRequest = {
  envelope: [1, { timestamp: [1, timestampMessage], namespace: [2, 'string'], topic: [3, 'string'], event: [4, any] }],
} as const;

/** containerd.events.*, by the topic of each. */
export const events = {
  '/tasks/create': {
    type: 'containerd.events.TaskCreate',
    fields: {
      container_id: [1, 'string'],
      bundle: [2, 'string'],
      rootfs: [3, mount, 'repeated'],
      io: [4, { stdin: [1, 'string'], stdout: [2, 'string'], stderr: [3, 'string'], terminal: [4, 'bool'] }],
      pid: [6, 'uint32'],
    },
  },
  '/tasks/start': { type: 'containerd.events.TaskStart', fields: { container_id: [1, 'string'], pid: [2, 'uint32'] } },
  '/tasks/exit': {
    type: 'containerd.events.TaskExit',
    fields: {
      container_id: [1, 'string'],
      id: [2, 'string'],
      pid: [3, 'uint32'],
      exit_status: [4, 'uint32'],
      exited_at: [5, timestampMessage],
    },
  },
  '/tasks/delete': {
    type: 'containerd.events.TaskDelete',
    fields: {
      container_id: [1, 'string'],
      pid: [2, 'uint32'],
      exit_status: [3, 'uint32'],
      exited_at: [4, timestampMessage],
      id: [5, 'string'],
    },
  },
  '/tasks/exec-added': {
    type: 'containerd.events.TaskExecAdded',
    fields: { container_id: [1, 'string'], exec_id: [2, 'string'] },
  },
  '/tasks/exec-started': {
    type: 'containerd.events.TaskExecStarted',
    fields: { container_id: [1, 'string'], exec_id: [2, 'string'], pid: [3, 'uint32'] },
  },
  '/tasks/checkpointed': {
    type: 'containerd.events.TaskCheckpointed',
    fields: { container_id: [1, 'string'], checkpoint: [2, 'string'] },
  },
  '/tasks/oom': { type: 'containerd.events.TaskOOM', fields: { container_id: [1, 'string'] } },
  '/tasks/paused': { type: 'containerd.events.TaskPaused', fields: { container_id: [1, 'string'] } },
  '/tasks/resumed': { type: 'containerd.events.TaskResumed', fields: { container_id: [1, 'string'] } },
} as const;

export function timestampOf(milliseconds: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(milliseconds / 1000)), nanos: (milliseconds % 1000) * 1_000_000 };
}
