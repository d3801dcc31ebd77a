/** The messages of CRIU's RPC that tsrun uses, with the numbers from CRIU's images/rpc.proto (criu(8), swrk). */
import type { Message, MessageType } from '../protobuf/wire.ts';

export const requestType = {
  dump: 1,
  restore: 2,
  check: 3,
  preDump: 4,
  notify: 6,
  featureCheck: 9,
  version: 10,
} as const;

/** criu_cg_mode, by the names for --manage-cgroups-mode. */
export const cgroupModes = { ignore: 0, none: 1, props: 2, soft: 3, full: 4, strict: 5 } as const;

/** criu_network_lock_method, by the names for --network-lock. */
export const networkLocks = { iptables: 1, nftables: 2, skip: 3 } as const;

const options = {
  images_dir_fd: [1, 'int32'],
  pid: [2, 'int32'],
  leave_running: [3, 'bool'],
  ext_unix_sk: [4, 'bool'],
  tcp_established: [5, 'bool'],
  evasive_devices: [6, 'bool'],
  shell_job: [7, 'bool'],
  file_locks: [8, 'bool'],
  log_level: [9, 'int32'],
  log_file: [10, 'string'],
  ps: [11, { address: [1, 'string'], port: [2, 'int32'] }],
  notify_scripts: [12, 'bool'],
  root: [13, 'string'],
  parent_img: [14, 'string'],
  track_mem: [15, 'bool'],
  auto_dedup: [16, 'bool'],
  work_dir_fd: [17, 'int32'],
  link_remap: [18, 'bool'],
  ext_mnt: [23, { key: [1, 'string'], val: [2, 'string'] }, 'repeated'],
  manage_cgroups: [24, 'bool'],
  cg_root: [25, { ctrl: [1, 'string'], path: [2, 'string'] }, 'repeated'],
  rst_sibling: [26, 'bool'],
  inherit_fd: [27, { key: [1, 'string'], fd: [2, 'int32'] }, 'repeated'],
  manage_cgroups_mode: [34, 'int32'],
  external: [37, 'string', 'repeated'],
  empty_ns: [38, 'uint32'],
  join_ns: [39, { ns: [1, 'string'], ns_file: [2, 'string'], extra_opt: [3, 'string'] }, 'repeated'],
  cgroup_dump_controller: [43, 'string', 'repeated'],
  freeze_cgroup: [44, 'string'],
  tcp_skip_in_flight: [46, 'bool'],
  lazy_pages: [48, 'bool'],
  status_fd: [49, 'int32'],
  orphan_pts_master: [50, 'bool'],
  config_file: [51, 'string'],
  tcp_close: [52, 'bool'],
  lsm_profile: [53, 'string'],
  lsm_mount_context: [63, 'string'],
  network_lock: [64, 'int32'],
} as const satisfies MessageType;

const features = { mem_track: [1, 'bool'], lazy_pages: [2, 'bool'] } as const satisfies MessageType;

export const request = {
  type: [1, 'int32'],
  opts: [2, options],
  notify_success: [3, 'bool'],
  keep_open: [4, 'bool'],
  features: [5, features],
} as const satisfies MessageType;

export const response = {
  type: [1, 'int32'],
  success: [2, 'bool'],
  restore: [4, { pid: [1, 'int32'] }],
  notify: [5, { script: [1, 'string'], pid: [2, 'int32'] }],
  cr_errno: [7, 'int32'],
  features: [8, features],
  cr_errmsg: [9, 'string'],
  version: [10, { major_number: [1, 'int32'], minor_number: [2, 'int32'], sublevel: [4, 'int32'] }],
} as const satisfies MessageType;

export type CriuOptions = Message<typeof options>;
export type Request = Message<typeof request>;
export type Response = Message<typeof response>;
