import type { Op } from '../generated/ops.ts';
import type { Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import type { Plan } from '../plan/plan.ts';
import { type Context, type LowerOptions, namespacesOf } from './context.ts';
import { createContainerHooks, runtimeHooks, startContainerHooks } from './hooks.ts';
import { lowerCgroup } from './limits/cgroup.ts';
import { lowerDevices } from './mounts/devices.ts';
import { lowerMountCheck, lowerMountsOfHooks } from './mounts/held.ts';
import { lowerReadonlyFilesystems } from './mounts/mount-new.ts';
import { lowerOwnTrees, lowerTrees } from './mounts/mount-trees.ts';
import { lowerMounts } from './mounts/mounts.ts';
import { lowerNodes } from './mounts/nodes.ts';
import { lowerMaskedPaths, lowerReadonlyPaths } from './mounts/paths.ts';
import {
  lowerEnterRoot,
  lowerNodev,
  lowerPropagation,
  lowerReadonlyRoot,
  lowerRootfs,
  lowerRootfsTree,
  lowerRootPropagation,
} from './mounts/rootfs.ts';
import { demandNoMounts, lowerOpenRoot } from './mounts/shared-mounts.ts';
import { lowerHostname } from './namespaces/hostname.ts';
import { lowerAdoptIds } from './namespaces/id-maps.ts';
import { lowerClone, lowerEnterNamespaces, lowerLateNamespaces, lowerOpenNamespaces } from './namespaces/namespaces.ts';
import { lowerNetDevices } from './namespaces/net-devices.ts';
import { lowerHostSysctl, lowerSysctl } from './namespaces/sysctl.ts';
import { lowerProgram } from './process/exec.ts';
import { lowerKeyring } from './process/labels.ts';
import { withNotifySocket } from './process/notify.ts';
import { lowerReset, lowerSession, restoreOomScoreAdj } from './process/process.ts';
import { lowerProcessSteps } from './process/process-steps.ts';
import { lowerTerminal } from './process/terminal.ts';

/**
 * Compiles a validated config into the plan of its creation. Pure: all it knows of the host is in `host`.
 *
 * @throws TsrunError for a property that this host, or tsrun, cannot honour
 */
export function lower(spec: Spec, host: HostFacts, options: LowerOptions): Plan {
  const linux = spec.linux ?? {};
  const context: Context = {
    spec: withNotifySocket(spec, options),
    linux,
    namespaces: namespacesOf(linux),
    host,
    options,
    warnings: [],
    notes: [],
  };
  return { ops: inOrder(context), warnings: context.warnings, notes: context.notes };
}

/** The one place that fixes the order of operations. */
function inOrder(context: Context): Op[] {
  const { options } = context;
  demandNoMounts(context);
  const cgroup = lowerCgroup(context);
  const process = lowerProcessSteps(context);
  const hooks = [...runtimeHooks(context, 'prestart'), ...runtimeHooks(context, 'createRuntime')];
  const containerHooks = createContainerHooks(context);
  const hasHooks = hooks.length + containerHooks.length > 0;
  return [
    ...process.compile,
    // Before the clone, so that init is born inside its limits: moving it later would wait for an RCU grace period and
    // charge its memory elsewhere.
    ...cgroup.before,
    // While nothing has entered a user namespace yet, whose root may not reach these.
    ...lowerRootfsTree(context),
    ...lowerTrees(context),
    ...lowerHostSysctl(context),
    // Before the clone, as init inherits the descriptors.
    ...lowerOpenNamespaces(context),
    ...lowerClone(context),
    // First of all in the child: what Node left behind must not reach anything that follows.
    ...lowerReset(context),
    // systemd makes no scope without a process. Before anything counts memory or makes a cgroup namespace.
    ...cgroup.inside,
    // What a device cgroup allows, and a user namespace does not.
    ...lowerNodes(context),
    ...lowerOpenRoot(context),
    // Before anything is made that belongs to a namespace. At its end init may go on in a child of its own.
    ...lowerEnterNamespaces(context),
    // The cgroup namespace's root is the cgroup that its creator is in; clone3 would take the runtime's.
    ...lowerLateNamespaces(context),
    // In the process that stays, should the namespaces need a fork: a session's leader alone can have a controlling
    // terminal.
    ...lowerSession(context),
    ...lowerHostname(context),
    // Before the first mount, or that mount could propagate to the host.
    ...lowerPropagation(context),
    ...lowerRootfs(context),
    // Before anything of the config is mounted below it, which has its own say.
    ...lowerNodev(context),
    ...lowerOwnTrees(context),
    // Before any mount of the config can shadow a procfs (CVE-2025-52881), and while init's own files there are those of
    // the user that it still is.
    { op: 'open-procfs', by: 'init', from: 'default' },
    // After what the host's root may reach and the container's may not (a bundle below a directory of mode 0700), and
    // before anything makes a file, which takes a mapped ID.
    ...lowerAdoptIds(context),
    ...lowerKeyring(context),
    ...lowerMounts(context),
    // After the mounts: /dev is usually one of them.
    ...lowerDevices(context),
    // On the devpts that the mounts made; /dev/console needs the path before pivot_root as little as after it.
    ...lowerTerminal(context),
    // With the hooks, which may want to see them: one wait for the runtime less. Not sooner, so that little can fail after.
    ...lowerNetDevices(context),
    // Hooks may look at it, change it, and leave processes behind that have it.
    ...(hasHooks ? [restoreOomScoreAdj] : []),
    // runtime.md: prestart and createRuntime after the environment has been made and before pivot_root; prestart first.
    ...hooks,
    // In the container's namespaces, but their paths are still the host's, so before pivot_root.
    ...containerHooks,
    ...lowerMountsOfHooks(context),
    // Nothing is made on the container's own mounts any more.
    ...lowerReadonlyFilesystems(context),
    ...lowerEnterRoot(context),
    // After the hooks that give the container its network devices: parameters of a device are there only with it.
    ...lowerSysctl(context),
    ...lowerReadonlyPaths(context),
    // After the read-only paths: a mask below one of them must stay a mask.
    ...lowerMaskedPaths(context),
    // Nothing writes to the rootfs after this but enter-cwd's mkdir, whose failure then names the reason.
    ...lowerProgram(context),
    // After the last bind mount: an unbindable root could not be bound any more.
    ...lowerRootPropagation(context),
    ...lowerReadonlyRoot(context),
    // While init is still root, whom nothing in the rootfs keeps out.
    ...lowerMountCheck(context),
    ...process.identity,
    // A container that waits for start must not be the first to go.
    ...(hasHooks ? [] : [restoreOomScoreAdj]),
    // A limit of no processes at all: everything that create starts has been started.
    ...cgroup.last,
    ...process.outside,
    { op: 'record-state', by: 'runtime', from: 'default', status: 'created' },
    ...(options.pidFile === undefined
      ? []
      : [{ op: 'write-pid-file', by: 'runtime', from: '--pid-file', path: options.pidFile } as const]),
    { op: 'wait-start', by: 'init', from: 'default', socket: 'exec-socket' },
    // A container may wait for long.
    ...lowerMountCheck(context),
    ...startContainerHooks(context),
    ...process.exec,
  ];
}
