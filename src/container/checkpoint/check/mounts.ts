import { TsrunError } from '../../../errors.ts';
import type { Spec } from '../../../generated/spec.ts';
import { mountsOf } from '../../../host/mount-info.ts';
import type { ImageNotes } from '../images.ts';
import { surveyMounts } from '../mounts.ts';
import type { Obstacle } from './obstacle.ts';

/** Filesystems that CRIU makes anew, with or without their contents (its filesystems.c). */
const saved = new Set([
  ...['autofs', 'binfmt_misc', 'btrfs', 'cgroup', 'cgroup2', 'debugfs', 'devpts', 'devtmpfs', 'fusectl', 'mqueue'],
  ...['overlay', 'proc', 'pstore', 'rpc_pipefs', 'securityfs', 'sysfs', 'tmpfs', 'tracefs'],
]);

/** Mounts that neither CRIU nor the config can bring back. */
export function mountObstacles(pid: number, spec: Spec): Obstacle[] {
  let notes: ImageNotes;
  try {
    notes = surveyMounts(pid, spec);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    const message = error.message.replace(/^cannot checkpoint the container: /, '');
    return [{ rule: 'mount', message, hint: error.hint }];
  }
  const external = new Set(notes.externals.map(({ point }) => point));
  return mountsOf(pid)
    .filter(({ point, type }) => point !== '/' && !external.has(point) && !saved.has(type))
    .map(({ point, type }) => ({
      rule: 'mount',
      message: `${point}: CRIU does not know the filesystem ${type}`,
      hint: 'unmount it first, or mount it on the host and bind it by /mounts',
    }));
}
