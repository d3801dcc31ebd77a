import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAbsent, isThere } from '../there.ts';

/** The resctrl filesystem (Linux, Documentation/filesystems/resctrl.rst). */
export interface ResctrlFacts {
  /** Where it is mounted. */
  readonly mount: string;
  /** The resources that schemata can be about: L3, L2, MB, … (the directories of info). */
  readonly resources: readonly string[];
  /** Whether groups can be monitored. */
  readonly monitoring: boolean;
}

/** null if resctrl is not mounted; only the administrator decides about that. */
export function resctrlFacts(mountInfo = readFileSync('/proc/self/mountinfo', 'utf8')): ResctrlFacts | null {
  const mount = mountPoint(mountInfo);
  if (mount === undefined) return null;
  const resources = namesIn(join(mount, 'info')).filter((name) => !name.endsWith('_MON') && name !== 'last_cmd_status');
  return { mount, resources, monitoring: isThere(join(mount, 'mon_groups')) };
}

/** The mount point of the first resctrl filesystem (proc_pid_mountinfo(5)). */
function mountPoint(mountInfo: string): string | undefined {
  const line = mountInfo.split('\n').find((entry) => entry.includes(' - resctrl '));
  return line?.split(' ')[4]?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}
