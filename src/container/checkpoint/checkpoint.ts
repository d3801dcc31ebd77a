import { isFrozen, thawCgroup } from '../../cgroup/freezer.ts';
import { closeQuietly } from '../../close.ts';
import { forgetExternalSizes } from '../../criu/files-image.ts';
import { type CriuOptions, requestType } from '../../criu/messages.ts';
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
    demandSuccess(criu, survey, request, () =>
      criu.request({ type, opts }, (script) => {
        if (script === 'post-dump') finishImages(survey, request);
      }),
    );
    if (request.preDump) noteSizes(request.imagePath);
  } finally {
    closeQuietly(images);
    if (work !== images) closeQuietly(work);
  }
}

/** When all images are there: before lazy pages are served to a restore, and while a failure leaves the container alive. */
function finishImages({ descriptors }: Survey, { imagePath }: CheckpointRequest): void {
  if (externalFiles(descriptors).length > 0) forgetExternalSizes(imagePath);
  noteSizes(imagePath);
}

/** Thaws the cgroup after a failure: a killed CRIU leaves frozen what it has frozen. */
function demandSuccess(
  criu: CriuService,
  { record: { cgroup } }: Survey,
  { imagePath, workPath }: CheckpointRequest,
  ask: () => ReturnType<CriuService['request']>,
): void {
  const wasFrozen = cgroup !== null && isFrozen(cgroup);
  const answer = ask();
  if (answer?.success === true) return;
  if (cgroup !== null && !wasFrozen) thawCgroup(cgroup);
  const at = { answer, directory: workPath ?? imagePath, log: dumpLog, output: criu.output() };
  throw criuFailure('cannot checkpoint the container', at);
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
