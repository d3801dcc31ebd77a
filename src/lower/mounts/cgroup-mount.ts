import type { Op } from '../../generated/ops.ts';
import { attr } from '../../linux/mount-constants.ts';
import { type Context, hasNew, isOrdinaryUser, isPrivileged, namespaceOf } from '../context.ts';
import { cgroupDirectory } from '../limits/cgroup.ts';
import { noCgroup2 } from '../limits/no-cgroup.ts';
import { needsMountCall } from './mount-by-flags.ts';
import { attachOps, attributeOps } from './mount-ops.ts';
import type { MountRequest } from './mount-request.ts';

/**
 * A mount of type cgroup or cgroup2. In a cgroup namespace it is the hierarchy as the container sees it. Without one it
 * would be the host's, so the container gets only its own part of it, read-only (CVE-2023-25809), unless it may do
 * anything to the host anyway.
 */
export function lowerCgroupMount(context: Context, request: MountRequest): Op[] {
  const { from, options } = request;
  if (context.host.cgroup.mount === null) return lowerNoCgroup(context, request);
  if (namespaceOf(context, 'cgroup') === undefined && !managesCgroups(context, request)) {
    return bindOwnCgroup(context, request);
  }
  // The source is a meaningless word, and fsconfig(2) limits it to 255 bytes.
  const source = needsMountCall(request) ? 'cgroup' : (request.mount.source ?? 'cgroup');
  // Without a cgroup of its own, the container sees its caller's cgroup as the root of the hierarchy.
  const attributes = options.own.set | (context.options.cgroupManager === 'disabled' ? attr.rdonly : 0);
  return [
    {
      op: 'new-filesystem',
      by: 'init',
      from,
      destination: request.destination.path,
      type: 'cgroup2',
      source,
      parameters: parametersOf(context, request),
      attributes,
      modeFromDestination: false,
      fallbackParameters: [],
      fallbackTree: cgroupDirectory(context),
      fallbackAttributes: options.own.set | attr.rdonly,
    },
    ...attributeOps(request, options.recursive, true),
    ...attachOps(context, request),
  ];
}

/**
 * A mount in the first cgroup namespace, but in no other, sets the hierarchy's options anew for the whole host: options
 * that are not repeated are lost (cgroup-v2.rst, Mounting). A joined namespace may be the first one.
 */
function parametersOf(context: Context, { options, from }: MountRequest): string[] {
  const asked = options.parameters.map(({ text }) => text);
  if (hasNew(context, 'cgroup')) return asked;
  const generic = options.parameters.filter((parameter) => parameter.generic).map(({ text }) => text);
  const { options: kept } = context.host.cgroup;
  for (const text of asked.filter((text) => !generic.includes(text) && !kept.includes(text))) {
    context.warnings.push({
      pointer: `${from}/options`,
      message: `${text} would change the host's hierarchy: no effect`,
    });
  }
  return [...generic, ...kept];
}

/**
 * Whether this is a privileged container without a cgroup namespace, whose mount need not be read-only. An engine
 * inside one, as in a privileged pod of Kubernetes, makes its containers' cgroups by the host's paths, which it reads
 * from /proc/self/cgroup.
 */
function managesCgroups(context: Context, { options }: MountRequest): boolean {
  if ((options.own.set & attr.rdonly) !== 0 || !context.host.initialUserNamespace) return false;
  if (namespaceOf(context, 'user') !== undefined || !isPrivileged(context)) return false;
  return context.spec.process?.capabilities?.bounding?.includes('CAP_SYS_ADMIN') === true;
}

function bindOwnCgroup(context: Context, request: MountRequest): Op[] {
  const { from, destination, options } = request;
  if ((options.own.clear & attr.rdonly) !== 0) {
    context.warnings.push({
      pointer: `${from}/options`,
      message: `without a cgroup namespace ${destination.path} is read-only`,
    });
  }
  const readonly = {
    ...options.own,
    set: options.own.set | attr.rdonly,
    clear: options.own.clear & ~attr.rdonly,
  };
  return [
    {
      op: 'clone-tree',
      by: 'init',
      from,
      destination: destination.path,
      source: cgroupDirectory(context),
      recursive: false,
      noFollow: false,
      tree: null,
      procOnly: false,
      // An ordinary user's container may have no cgroup.
      emptyIfMissing: true,
    },
    ...attributeOps(request, readonly, false),
    ...attachOps(context, request),
  ];
}

/** Mounts an empty directory, as there is nothing to show. */
function lowerNoCgroup(context: Context, request: MountRequest): Op[] {
  const { from, destination, mount } = request;
  const findings = isOrdinaryUser(context) ? context.notes : context.warnings;
  findings.push({
    pointer: from,
    message: `${noCgroup2}, so ${destination.path} is an empty directory`,
  });
  return [
    {
      op: 'new-filesystem',
      by: 'init',
      from,
      destination: destination.path,
      type: 'tmpfs',
      source: mount.source ?? 'cgroup',
      parameters: ['mode=0555'],
      attributes: attr.rdonly | attr.nosuid | attr.nodev | attr.noexec,
      modeFromDestination: false,
      fallbackParameters: [],
      fallbackTree: null,
      fallbackAttributes: 0,
    },
    ...attachOps(context, request),
  ];
}
