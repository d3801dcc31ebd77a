import { openSync, readlinkSync } from 'node:fs';
import { addon } from '../../addon.ts';
import { closeQuietly } from '../../close.ts';
import { placing, withPlace } from '../../config/locate.ts';
import type { SpecSource } from '../../config/validate/places.ts';
import { type CriuOptions, requestType } from '../../criu/messages.ts';
import { CriuService } from '../../criu/service.ts';
import { TsrunError } from '../../errors.ts';
import type { Spec } from '../../generated/spec.ts';
import { checkConsole } from '../../host/descriptor-sockets.ts';
import { log } from '../../log.ts';
import type { LowerOptions } from '../../lower/context.ts';
import { rootfsPath } from '../../lower/mounts/rootfs-path.ts';
import type { Plan } from '../../plan/plan.ts';
import { UndoStack } from '../../undo.ts';
import type { Created } from '../create.ts';
import { checkId } from '../id.ts';
import { demandNoInterrupt, orInterrupt } from '../interrupts.ts';
import { logFindings } from '../log-findings.ts';
import { runPoststopHooks } from '../poststop.ts';
import { demandRootfs, prepare } from '../prepare.ts';
import { ContainerDirectory } from '../store.ts';
import { inheritedAttributes } from './config-attributes.ts';
import { copiesOf, inheritedFiles } from './descriptors.ts';
import { criuFailure } from './failure.ts';
import { keepHierarchyOptions } from './hierarchy-options.ts';
import { demandReadableImages } from './image-rights.ts';
import {
  cgroupPathOf,
  demandImages,
  demandWholeImages,
  type ImageNotes,
  makeImageDirectory,
  noteDropped,
  readDescriptors,
  readNotes,
} from './images.ts';
import { demandDaemon } from './lazy-pages.ts';
import { makeMountPoints } from './mount-points.ts';
import { externalSources } from './mounts.ts';
import { type NamespacesToJoin, namespacesToJoin } from './namespaces.ts';
import { type CriuFlags, commonOptions, restoreLog } from './options.ts';
import { RestoreOwner } from './restore-owner.ts';

interface Given extends CriuFlags {
  readonly root: string;
  readonly consoleSocket: string | undefined;
  readonly pidfdSocket: string | undefined;
  readonly lsmProfile: string | undefined;
  readonly lsmMountContext: string | undefined;
  /** The container's descriptors 0 to 2; absent: this process's own. */
  readonly descriptors?: readonly number[];
  /** Set when this process is a program that goes on with other work. */
  readonly hosted?: true;
}

export interface RestoreRequest extends Given {
  readonly lowering: LowerOptions;
  /** Whether the caller leaves, and so cannot hold a terminal. */
  readonly detached: boolean;
}

/** The request with what the bundle's config.json says. */
interface Restore extends Given {
  readonly id: string;
  readonly bundle: string;
  readonly spec: Spec;
  /** config.json as it was read. */
  readonly source: SpecSource;
  readonly plan: Plan;
  readonly isForeground: boolean;
}

/** What is opened before anything is made. */
interface Sources {
  readonly notes: ImageNotes | undefined;
  readonly externals: { key: string; val: string }[];
  readonly files: { key: string; fd: number }[];
  readonly namespaces: NamespacesToJoin;
}

/**
 * Makes a container from a bundle and what checkpoint has written. Its processes go on where they were, in a new cgroup, with the
 * limits that config.json has now.
 *
 * @throws TsrunError with CRIU's own reason; nothing of the container is left then
 */
export function restoreContainer({ lowering, detached, ...given }: RestoreRequest): Created {
  const { id, bundle } = lowering;
  checkId(id);
  const { spec, source, plan } = prepare(lowering);
  logFindings(plan, () => source);
  placing(source, () => {
    demandRootfs(spec, lowering);
    checkConsole(spec.process?.terminal === true, detached, given.consoleSocket);
  });
  return restore({ ...given, id, bundle, spec, source, plan, isForeground: !detached && given.hosted !== true });
}

function restore(request: Restore): Created {
  const sources = placing(request.source, () => openSources(request));
  const inherit = [...sources.files, ...sources.namespaces.inherited].map(({ fd }) => fd);
  const rootfs = rootfsPath({ spec: request.spec, options: request });
  const giveOptionsBack = keepHierarchyOptions();
  let criu: CriuService | undefined;
  try {
    const attributes = inheritedAttributes(request.plan);
    const input = request.shellJob ? 0 : -1;
    criu = placing(request.source, () => new CriuService({ root: rootfs, inherit, input, attributes }));
    return restoreBy(criu, sources, rootfs, request);
  } finally {
    criu?.close();
    giveOptionsBack();
    for (const fd of inherit) closeQuietly(fd);
  }
}

function openSources(request: Restore): Sources {
  const { imagePath, workPath, spec, bundle, emptyNetwork, lazyPages, descriptors } = request;
  if (emptyNetwork && Object.keys(spec.linux?.netDevices ?? {}).length > 0) {
    throw new TsrunError('restore moves no network devices, and the images have none', {
      about: '/linux/netDevices',
      hint: 'leave it out, and have a createRuntime hook move them',
    });
  }
  demandImages(imagePath);
  demandWholeImages(imagePath);
  demandReadableImages(imagePath, spec);
  if (workPath !== undefined) closeQuietly(makeImageDirectory(workPath, '--work-path'));
  if (lazyPages) demandDaemon(workPath ?? imagePath);
  const notes = readNotes(imagePath);
  return {
    notes,
    externals: externalSources(spec, bundle, notes),
    files: copiesOf(inheritedFiles(readDescriptors(imagePath), descriptors)),
    namespaces: namespacesToJoin(spec),
  };
}

function restoreBy(criu: CriuService, sources: Sources, rootfs: string, request: Restore): Created {
  const directory = new ContainerDirectory(request.root, request.id);
  addon().catchInterrupts();
  const lock = directory.reserve();
  const undo = new UndoStack();
  undo.push(() => directory.remove());
  const owner = new RestoreOwner(request, directory, undo);
  try {
    directory.writeConfig(request.source.text);
    directory.write(owner.container);
    makeMountPoints(rootfs, sources.notes?.mountPoints ?? []);
    owner.makeCgroup(criu.pid);
    const opts = restoreOptions(criu, sources, rootfs, request, owner);
    const answer = withDirectories(criu, request, (directories) => {
      const asked = { type: requestType.restore, opts: { ...opts, ...directories } };
      return criu.request(
        asked,
        (script, ...told) => {
          // The pages come next.
          if (script === 'post-setup-namespaces' && request.autoDedup) noteDropped(request.imagePath);
          owner.told(script, ...told);
        },
        () => owner.isStuck(),
      );
    });
    if (answer?.success !== true) {
      const at = { directory: request.workPath ?? request.imagePath, log: restoreLog, output: criu.output() };
      throw criuFailure('cannot restore the container', { answer, ...at });
    }
    const created = owner.finish();
    demandNoInterrupt();
    undo.forget();
    return { ...created, source: request.source };
  } catch (error) {
    addon().settleInterrupts(false);
    criu.close();
    for (const failure of undo.run()) log('error', `while cleaning up: ${failure}`);
    runPoststopHooks(owner.container, () => request.source);
    throw orInterrupt(withPlace(error, request.source));
  } finally {
    closeQuietly(lock);
  }
}

function withDirectories<Result>(
  { pid }: CriuService,
  { imagePath, workPath = imagePath }: Restore,
  use: (directories: CriuOptions) => Result,
): Result {
  const images = openIn(pid, imagePath);
  try {
    const work = openIn(pid, workPath);
    try {
      return use({ images_dir_fd: images, work_dir_fd: work });
    } finally {
      closeQuietly(work);
    }
  } finally {
    closeQuietly(images);
  }
}

/**
 * Opens a directory in CRIU's own mount namespace, because CRIU mounts something in the one it works in. On the way there
 * must be no symbolic link, which would lead back to this process's: containerd's --work-path is one.
 */
function openIn(pid: number, path: string): number {
  const here = openSync(path, 'r');
  try {
    return openSync(`/proc/${pid}/root${readlinkSync(`/proc/self/fd/${here}`)}`, 'r');
  } finally {
    closeQuietly(here);
  }
}

function restoreOptions(
  criu: CriuService,
  { externals, files, namespaces }: Sources,
  rootfs: string,
  request: Restore,
  { container: record }: RestoreOwner,
): CriuOptions {
  const common = commonOptions(request, record.annotations);
  const cgroup = record.cgroup === null ? undefined : cgroupPathOf(criu.pid);
  return {
    ...common,
    log_file: restoreLog,
    root: rootfs,
    rst_sibling: true,
    // With --shell-job, CRIU (4.2.1) makes a terminal for a program on the caller's, too, and crashes.
    orphan_pts_master: !request.shellJob || request.spec.process?.terminal === true,
    ext_mnt: externals,
    inherit_fd: [...files, ...namespaces.inherited],
    join_ns: namespaces.joined,
    // A container without its own cgroup stays in this command's.
    ...(cgroup === undefined ? { manage_cgroups_mode: 0 } : { cg_root: [{ ctrl: '', path: cgroup }] }),
    ...(request.lsmProfile !== undefined && { lsm_profile: request.lsmProfile }),
    ...(request.lsmMountContext !== undefined && { lsm_mount_context: request.lsmMountContext }),
  };
}
