import type { ContainerDirectory } from '../../store.ts';
import type { CheckpointRequest } from '../checkpoint.ts';
import { surveyRunning } from '../survey.ts';
import { connectionObstacles } from './connections.ts';
import { fileObstacles } from './files.ts';
import { hostObstacles, sharedNamespaces } from './host.ts';
import { mountObstacles } from './mounts.ts';
import type { Found, FoundObstacle, Obstacle } from './obstacle.ts';
import { processObstacles, processTree } from './processes.ts';

/** What `checkpoint --check` reports about a container. */
export interface CheckpointReport extends Found {
  readonly id: string;
}

/**
 * Finds what a checkpoint with these flags would fail at, or leave out. It freezes nothing and makes no image
 * directory.
 *
 * @throws TsrunError for a container that is not running
 */
export function checkCheckpoint(directory: ContainerDirectory, request: CheckpointRequest): CheckpointReport {
  const { init, cgroup } = surveyRunning(directory);
  const spec = directory.readConfig();
  const tree = processTree(init.pid);
  const errors = [
    ...hostObstacles(request),
    ...processObstacles(tree, cgroup, request),
    ...mountObstacles(init.pid, spec),
    ...fileObstacles(tree, request),
    ...connectionObstacles(tree, request),
  ];
  return { id: directory.id, errors: withoutRepeats(errors), warnings: sharedNamespaces(spec) };
}

/** Processes share open files: each is reported once, of the first process that has it. */
function withoutRepeats(obstacles: readonly FoundObstacle[]): Obstacle[] {
  const seen = new Set<string>();
  return obstacles.flatMap(({ file, ...obstacle }) => {
    const key = `${obstacle.rule} ${file}`;
    if (seen.has(key)) return [];
    if (file !== undefined) seen.add(key);
    return obstacle;
  });
}

/** One line for each, and one that sums up. */
export function checkpointText({ id, errors, warnings }: CheckpointReport): string {
  const line = (level: string) => (each: Obstacle) =>
    `${level}: ${each.message}${each.hint === undefined ? '' : ` (${each.hint})`}`;
  const verdict =
    errors.length === 0 ? `${id}: nothing found that CRIU could not save` : `${id}: ${count(errors)} in the way`;
  return `${[...errors.map(line('error')), ...warnings.map(line('warning')), verdict].join('\n')}\n`;
}

function count({ length }: readonly Obstacle[]): string {
  return length === 1 ? '1 thing is' : `${length} things are`;
}

export function checkpointJson(report: CheckpointReport): string {
  return `${JSON.stringify({ ok: report.errors.length === 0, ...report }, null, 2)}\n`;
}
