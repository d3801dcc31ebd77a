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
import { hasSmallMounts, lowerOpenSmallMounts } from './mounts/small-mounts.ts';
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
 * Compiles a validated config into the plan that creates the container. Pure: everything it knows of the host is in
 * `host`.
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

/** The only place that fixes the order of operations. */
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
    // Before the clone, so that init is born inside its limits: moving it later would wait for an RCU grace period, and
    // memory used by then would be charged elsewhere.
    ...cgroup.before,
    // While init is not in a user namespace yet: root of that one may not reach these.
    ...lowerRootfsTree(context),
    ...lowerTrees(context),
    ...lowerHostSysctl(context),
    // Before the clone, because init inherits the descriptors.
    ...lowerOpenNamespaces(context),
    ...lowerOpenSmallMounts(context),
    ...lowerClone(context, !hasSmallMounts(context)),
    // First in the child: nothing that Node has left behind may affect what follows.
    ...lowerReset(context),
    // After the clone, as systemd makes no scope without a process; before anything counts memory or makes a cgroup
    // namespace.
    ...cgroup.inside,
    // The device cgroup allows this, but a user namespace would not.
    ...lowerNodes(context),
    ...lowerOpenRoot(context),
    // Before making anything that belongs to a namespace. Afterwards init may be a child of the first init.
    ...lowerEnterNamespaces(context),
    // The creator's cgroup becomes the root of a cgroup namespace; with clone3 that would be the runtime's.
    ...lowerLateNamespaces(context),
    // In the process that stays, if the namespaces need a fork: only the leader of a session can have a controlling
    // terminal.
    ...lowerSession(context),
    ...lowerHostname(context),
    // Before the first mount, which could otherwise propagate to the host.
    ...lowerPropagation(context),
    ...lowerRootfs(context),
    // Before the config's mounts below it, which have their own options.
    ...lowerNodev(context),
    ...lowerOwnTrees(context),
    // Before a mount of the config can shadow a procfs (CVE-2025-52881), and while init's files there still belong to
    // the user that it runs as.
    { op: 'open-procfs', by: 'init', from: 'default' },
    // After all that the host's root can reach but the container's cannot (a bundle below a directory of mode 0700),
    // and before a file is made, which needs a mapped ID.
    ...lowerAdoptIds(context),
    ...lowerKeyring(context),
    ...lowerMounts(context),
    // After the mounts: /dev is usually one of them.
    ...lowerDevices(context),
    // On the devpts from the mounts. /dev/console does not depend on pivot_root.
    ...lowerTerminal(context),
    // Next to the hooks, which may want to see the devices: this saves one wait for the runtime. Not earlier, so that
    // little can fail afterwards.
    ...lowerNetDevices(context),
    // Hooks may read it, change it, and leave processes behind that inherit it.
    ...(hasHooks ? [restoreOomScoreAdj] : []),
    // runtime.md: prestart and createRuntime run after the environment is made and before pivot_root; prestart first.
    ...hooks,
    // In the container's namespaces, but before pivot_root because their paths are the host's.
    ...containerHooks,
    ...lowerMountsOfHooks(context),
    // From here on nothing is made on the container's own mounts.
    ...lowerReadonlyFilesystems(context),
    ...lowerEnterRoot(context),
    // After the hooks that give the container its network devices, because a device's parameters only exist with it.
    ...lowerSysctl(context),
    ...lowerReadonlyPaths(context),
    // After the read-only paths, so that a mask below one of them stays a mask.
    ...lowerMaskedPaths(context),
    // After this only the mkdir of enter-cwd writes to the rootfs; if that fails, the error names the reason.
    ...lowerProgram(context),
    // After the last bind mount, because an unbindable root could not be bound any more.
    ...lowerRootPropagation(context),
    ...lowerReadonlyRoot(context),
    // While init is still root, so that nothing in the rootfs keeps it out.
    ...lowerMountCheck(context),
    ...process.identity,
    // The OOM killer must not prefer a container that waits for start.
    ...(hasHooks ? [] : [restoreOomScoreAdj]),
    // A pids limit of 0 or 1: by now create has started everything that it starts.
    ...cgroup.last,
    ...process.outside,
    { op: 'record-state', by: 'runtime', from: 'default', status: 'created' },
    ...(options.pidFile === undefined
      ? []
      : [{ op: 'write-pid-file', by: 'runtime', from: '--pid-file', path: options.pidFile } as const]),
    { op: 'wait-start', by: 'init', from: 'default', socket: 'exec-socket', again: options.waitsAgain === true },
    // Again, because a container may have waited for long.
    ...lowerMountCheck(context),
    ...startContainerHooks(context),
    ...process.exec,
  ];
}
