import { withFreezer } from '../../cgroup/freezer.ts';
import { closeQuietly } from '../../close.ts';
import { forgetExternalSizes } from '../../criu/files-image.ts';
import { type CriuOptions, requestType } from '../../criu/messages.ts';
import { forgetDefaultNetwork } from '../../criu/network-images.ts';
import { CriuService } from '../../criu/service.ts';
import { deleteContainer } from '../delete.ts';
import type { ContainerDirectory } from '../store.ts';
import { describeStdio, externalFiles } from './descriptors.ts';
import { criuFailure } from './failure.ts';
import { keepHierarchyOptions } from './hierarchy-options.ts';
import { demandParent, type ImageNotes, makeImageDirectory, noteSizes, writeNotes } from './images.ts';
import { demandLazySource } from './lazy-pages.ts';
import { surveyMounts } from './mounts.ts';
import { externalNamespaces } from './namespaces.ts';
import { type CriuFlags, commonOptions, dumpLog } from './options.ts';
import { type RunningRecord, surveyRunning } from './survey.ts';

export interface CheckpointRequest extends CriuFlags {
  readonly leaveRunning: boolean;
  /** Relative to the image directory. */
  readonly parentPath: string | undefined;
  readonly preDump: boolean;
  readonly tcpSkipInFlight: boolean;
  readonly pageServer: { address: string; port: number } | undefined;
  readonly statusFd: number | undefined;
}

/** What is found out about the container before CRIU is asked. */
interface Survey {
  readonly record: RunningRecord;
  readonly notes: ImageNotes;
  readonly descriptors: readonly string[];
  readonly namespaces: readonly string[];
}

/**
 * Saves a running container to files with CRIU, and ends it unless it is to be left running.
 *
 * @throws TsrunError with CRIU's own reason; the container then goes on as it was
 */
export function checkpointContainer(directory: ContainerDirectory, request: CheckpointRequest): void {
  saveContainer(directory, request);
  if (!request.leaveRunning && !request.preDump) deleteContainer(directory, { force: true });
}

/** The same, but a container that ends stays to be deleted. */
export function saveContainer(directory: ContainerDirectory, request: CheckpointRequest): void {
  const survey = surveyContainer(directory);
  demandLazySource(request);
  const giveOptionsBack = keepHierarchyOptions();
  const criu = new CriuService({});
  try {
    dump(criu, survey, request);
  } finally {
    criu.close();
    giveOptionsBack();
  }
}

function surveyContainer(directory: ContainerDirectory): Survey {
  const record = surveyRunning(directory);
  const { pid } = record.init;
  const spec = directory.readConfig();
  return {
    record,
    notes: surveyMounts(pid, spec),
    descriptors: describeStdio(pid),
    namespaces: externalNamespaces(pid, spec),
  };
}

function dump(criu: CriuService, survey: Survey, request: CheckpointRequest): void {
  const images = makeImageDirectory(request.imagePath, '--image-path');
  const work = request.workPath === undefined ? images : makeImageDirectory(request.workPath, '--work-path');
  try {
    demandParent(request.imagePath, request.parentPath);
    if (!request.preDump) writeNotes(request.imagePath, survey.notes, survey.descriptors);
    const type = request.preDump ? requestType.preDump : requestType.dump;
    const opts = { ...dumpOptions(survey, request), images_dir_fd: images, work_dir_fd: work };
    freezing(survey, request, (freeze) => {
      const answer = criu.request({ type, opts }, (script) => {
        if (script === 'pre-dump') freeze();
        if (script === 'post-dump') finishImages(survey, request);
      });
      if (answer?.success === true) return;
      const at = { answer, directory: request.workPath ?? request.imagePath, log: dumpLog, output: criu.output() };
      throw criuFailure('cannot checkpoint the container', at);
    });
    if (request.preDump) noteSizes(request.imagePath);
  } finally {
    closeQuietly(images);
    if (work !== images) closeQuietly(work);
  }
}

/** When all images are there: before lazy pages are served to a restore, and while a failure leaves the container alive. */
function finishImages({ descriptors }: Survey, { imagePath }: CheckpointRequest): void {
  if (externalFiles(descriptors).length > 0) forgetExternalSizes(imagePath);
  forgetDefaultNetwork(imagePath);
  noteSizes(imagePath);
}

/**
 * Has `ask` freeze the container just before CRIU would. CRIU itself looks whether it is frozen, and if it is not yet
 * looks again a tenth of a second later. It also leaves the cgroup as it was, and so frozen: it is thawed at the end, also
 * after a CRIU that was killed. A pre-dump writes memory while the processes run, so there CRIU does it alone.
 */
function freezing(
  { record: { cgroup } }: Survey,
  { preDump }: CheckpointRequest,
  ask: (freeze: () => void) => void,
): void {
  if (cgroup === null) ask(() => {});
  else withFreezer(cgroup, (freeze) => ask(preDump ? () => {} : freeze));
}

function dumpOptions({ record, notes, descriptors, namespaces }: Survey, request: CheckpointRequest): CriuOptions {
  const { parentPath, pageServer, statusFd, preDump } = request;
  return {
    ...commonOptions(request, record.annotations),
    pid: record.init.pid,
    log_file: dumpLog,
    root: record.rootfs,
    leave_running: request.leaveRunning || preDump,
    tcp_skip_in_flight: request.tcpSkipInFlight,
    orphan_pts_master: true,
    external: [...namespaces, ...externalFiles(descriptors)],
    ext_mnt: notes.externals.map(({ point }) => ({ key: point, val: point })),
    // On a hybrid host, the v1 cgroups are not the container's.
    cgroup_dump_controller: [''],
    ...(record.cgroup !== null && { freeze_cgroup: record.cgroup }),
    ...((preDump || parentPath !== undefined) && { track_mem: true }),
    ...(parentPath !== undefined && { parent_img: parentPath }),
    ...(pageServer && { ps: pageServer }),
    ...(statusFd !== undefined && { status_fd: statusFd }),
  };
}
