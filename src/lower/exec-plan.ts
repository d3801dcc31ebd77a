import type { Op } from '../generated/ops.ts';
import type { Spec } from '../generated/spec.ts';
import type { ContainerFacts } from '../host/container-facts.ts';
import type { HostFacts } from '../host/facts.ts';
import { namespaceFlags } from '../linux/namespaces.ts';
import type { Plan } from '../plan/plan.ts';
import { type Context, type LowerOptions, namespacesOf, sharesMounts } from './context.ts';
import { lowerChroot, lowerOpenRoot } from './mounts/shared-mounts.ts';
import { lowerAdoptIds } from './namespaces/id-maps.ts';
import { lowerExecAffinity, namesCpus } from './process/cpu-affinity.ts';
import { lowerProgram } from './process/exec.ts';
import { lowerKeyring } from './process/labels.ts';
import { lowerReset, lowerSession, restoreOomScoreAdj } from './process/process.ts';
import { lowerProcessSteps } from './process/process-steps.ts';
import { lowerTerminal } from './process/terminal.ts';

/** What `tsrun exec` adds to a process. */
export interface ExecOptions extends LowerOptions {
  readonly container: ContainerFacts;
  /** Names to look up in the container, instead of the numbers in process.user. */
  readonly userName?: string | undefined;
  readonly groupName?: string | undefined;
  /** Whether the caller notes the process before it is the program. */
  readonly notesProcess?: boolean;
}

/**
 * Compiles a process that joins a running container. `spec` is the container's config with that process in place of its
 * own.
 *
 * @throws TsrunError for a property that this host, or tsrun, cannot honour
 */
export function lowerExecPlan(spec: Spec, host: HostFacts, options: ExecOptions): Plan {
  const linux = spec.linux ?? {};
  const namespaces = namespacesOf(linux);
  const context: Context = { spec, linux, namespaces, host, options, warnings: [], notes: [] };
  return { ops: inOrder(context, options), warnings: context.warnings, notes: context.notes };
}

function inOrder(context: Context, options: ExecOptions): Op[] {
  const process = lowerProcessSteps(context, { joining: true });
  return [
    ...process.compile,
    ...lowerExecAffinity(context.spec).initial,
    ...start(options),
    ...lowerReset(context, { allCpus: !namesCpus(context.spec) }),
    ...join(context, options),
    // Now in the container's pid namespace, so that it shows those processes. Init's oom_score_adj file still belongs
    // to the user that init ran as before.
    { op: 'open-procfs', by: 'init', from: 'default' },
    // Init's former IDs may not be mapped in the container's user namespace.
    ...lowerAdoptIds(context),
    // In the process that stays: only the leader of a session can have a controlling terminal.
    ...lowerSession(context),
    // After all that needs the host's /proc.
    ...(sharesMounts(context) ? lowerChroot() : []),
    ...lowerKeyring(context),
    ...lowerTerminal(context, { joining: true }),
    ...findUser(options, context.spec),
    ...lowerProgram(context, { joining: true }),
    ...lowerExecAffinity(context.spec).final,
    ...process.identity,
    restoreOomScoreAdj,
    ...process.outside,
    // Before execve, because callers read the file as soon as exec returns.
    ...(options.pidFile === undefined
      ? []
      : [{ op: 'write-pid-file', by: 'runtime', from: '--pid-file', path: options.pidFile } as const]),
    ...(options.notesProcess ? [{ op: 'note-process', by: 'runtime', from: 'default' } as const] : []),
    ...process.exec,
  ];
}

function start({ container }: ExecOptions): Op[] {
  const { pid, startTime, inode = 0 } = container.init;
  const ops: Op[] = [
    { op: 'open-container', by: 'runtime', from: 'default', slot: 'container', pid, startTime, inode },
  ];
  if (container.cgroup !== null) {
    const fallback = container.initCgroup;
    ops.push({ op: 'open-cgroup', by: 'runtime', from: 'default', path: container.cgroup, fallback });
  }
  ops.push({ op: 'clone', by: 'runtime', from: 'default', namespaces: [], flags: 0 });
  return ops;
}

function join(context: Context, { container }: ExecOptions): Op[] {
  const { namespaces } = container;
  const root = lowerOpenRoot(context);
  // The rootfs's path holds in the container's mount namespace, so the root is opened after joining that. If it is this
  // one already, the root is opened before, because the container's user namespace may not reach it.
  const [before, after] = namespaces.includes('mount') ? [[], root] : [root, []];
  const flags = namespaces.reduce((sum, type) => sum + namespaceFlags[type], 0);
  const ops: Op[] = [
    ...before,
    { op: 'join-container', by: 'init', from: 'default', container: 'container', namespaces, flags },
    ...after,
  ];
  if (namespaces.includes('pid') || namespaces.includes('time')) {
    ops.push({ op: 'fork-child', by: 'init', from: 'default', namespaces: [], flags: 0 });
  }
  if (!sharesMounts(context)) return [...ops, { op: 'hold-root', by: 'init', from: 'default' }];
  return ops;
}

function findUser({ userName, groupName }: ExecOptions, { process }: Spec): Op[] {
  if (userName === undefined && groupName === undefined) return [];
  const { uid = 0, gid = 0 } = process?.user ?? {};
  const names = { user: userName ?? null, group: groupName ?? null };
  return [{ op: 'find-user', by: 'init', from: '--user', ...names, uid, gid }];
}
