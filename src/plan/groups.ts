/** The parts of a plan as people see them. */
import type { Op } from '../generated/ops.ts';

export interface PlanGroup {
  readonly title: string;
  readonly ops: readonly { readonly op: Op; readonly index: number }[];
}

type Title = 'Cgroup' | 'Namespaces' | 'Filesystems' | 'Process' | 'Start';

const cgroup = new Set<Op['op']>([
  ...([
    'create-cgroup',
    'start-scope',
    'own-cgroup',
    'check-memory-use',
    'set-io-weight',
    'write-cgroup-file',
  ] as const),
  ...(['filter-devices', 'open-cgroup', 'join-resctrl'] as const),
]);

const namespaces = new Set<Op['op']>([
  ...(['open-namespace', 'make-user-namespace', 'open-container', 'clone', 'write-id-maps', 'check-id-maps'] as const),
  ...(['move-net-device', 'join-namespace', 'join-container', 'fork-child', 'unshare', 'adopt-ids'] as const),
  ...(['write-time-offsets', 'loopback-up', 'set-hostname', 'set-domainname', 'write-sysctl'] as const),
]);

const filesystems = new Set<Op['op']>([
  ...([
    'open-tree',
    'map-tree',
    'hold-root',
    'set-propagation',
    'open-small-mounts',
    'enter-small-mounts',
    'bind-rootfs',
    'bind-mapped-rootfs',
    'open-procfs',
    'new-filesystem',
  ] as const),
  ...(['mount-by-flags', 'clone-tree', 'own-tree', 'keep-mount', 'take-mount', 'check-mounts', 'find-mount'] as const),
  ...(['reconfigure-filesystem', 'map-mount-ids', 'copy-up', 'set-mount-attributes', 'attach-mount'] as const),
  ...(['make-device', 'make-node', 'bind-device', 'make-symlink', 'pivot-root', 'move-root'] as const),
  ...(['set-root-propagation', 'nodev-root', 'readonly-root', 'readonly-path', 'mask-path'] as const),
]);

/** Everything from here on waits for `start`. */
const starts = 'wait-start';

/** Groups the ops by what they are about; within a group they stay in the plan's order. */
export function groupsOf(ops: readonly Op[]): PlanGroup[] {
  const start = ops.findIndex(({ op }) => op === starts);
  const titles: readonly Title[] = ['Cgroup', 'Namespaces', 'Filesystems', 'Process', 'Start'];
  const numbered = ops.map((op, index) => ({ op, index, title: titleOf(op, start >= 0 && index >= start) }));
  return titles
    .map((title) => ({ title, ops: numbered.filter((each) => each.title === title) }))
    .filter((group) => group.ops.length > 0);
}

function titleOf({ op }: Op, afterStart: boolean): Title {
  if (afterStart) return 'Start';
  if (cgroup.has(op)) return 'Cgroup';
  if (namespaces.has(op)) return 'Namespaces';
  return filesystems.has(op) ? 'Filesystems' : 'Process';
}

const everywhere = new Set<Op['op']>([
  ...(['prefer-oom-kill', 'restore-oom-score-adj', 'reset-process', 'new-session', 'open-procfs'] as const),
  ...(['default-home', 'hold-root', 'record-state', 'set-propagation', 'make-device', 'make-symlink'] as const),
]);

/** Whether nearly every plan has this step, whatever the config says. */
export function isEverywhere({ op, from }: Op): boolean {
  return from === 'default' && everywhere.has(op);
}
