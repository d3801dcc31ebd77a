import { addon } from '../../addon.ts';
import { cgroupFacts } from '../../host/facts.ts';
import { log } from '../../log.ts';

/**
 * CRIU mounts the cgroup filesystem without options. In the first cgroup namespace that sets the hierarchy's options anew
 * for the whole host, and takes nsdelegate and memory_recursiveprot from it (cgroup-v2.rst, Mounting).
 *
 * @returns call it when CRIU has ended: gives the host the options back that it had
 */
export function keepHierarchyOptions(): () => void {
  const { mount, options } = cgroupFacts();
  return () => {
    if (mount === null) return;
    const now = cgroupFacts().options;
    if (options.every((name) => now.includes(name))) return;
    try {
      addon().reconfigureFilesystem(mount, options);
    } catch (error) {
      log(
        'warning',
        `CRIU took ${options.join(',')} from ${mount}, and it cannot be set again: ${(error as Error).message}`,
      );
    }
  };
}
