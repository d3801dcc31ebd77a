import { normalize } from 'node:path';
import { TsrunError } from '../../errors.ts';

/**
 * Files of procfs that a mount may hide: lxcfs and its like serve the container's own numbers there. A mount over any
 * other could send writes meant for the kernel elsewhere (CVE-2019-16884).
 */
const coverableProcFiles: readonly string[] = [
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/meminfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/slabinfo',
  '/proc/net/dev',
  '/proc/sys/kernel/ns_last_pid',
  '/proc/sys/crypto/fips_enabled',
];

/** Where a mount goes, and what it has to look out for there. */
export interface Destination {
  readonly path: string;
  /** No symlink may lead there: it is the kernel's own interface. */
  readonly realDirectory: boolean;
  /** The mount may hide something of the container's procfs. */
  readonly onProc: boolean;
  /** What is mounted there must be a procfs. */
  readonly procOnly: boolean;
}

/**
 * "A relative destination is relative to /" (config.md, Mounts; deprecated).
 *
 * @param type the filesystem's; undefined for a bind
 * @throws TsrunError for a destination that nothing may be mounted on
 */
export function destinationOf(destination: string, type: string | undefined, from: string): Destination {
  const normal = normalize(destination.startsWith('/') ? destination : `/${destination}`);
  const path = normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
  if (path === '/') {
    throw new TsrunError('a mount on / would hide the root filesystem', {
      about: `${from}/destination`,
      hint: 'name the root filesystem in /root/path',
    });
  }
  const onProc = path === '/proc' || type === 'proc' || isCoverable(path, from);
  const realDirectory = type === 'proc' || type === 'sysfs' || path === '/proc' || path === '/sys';
  if (path === '/proc' && type !== undefined && type !== 'proc') {
    throw new TsrunError(`only a filesystem of type proc may be at /proc, found ${type}`, { about: `${from}/type` });
  }
  return { path, realDirectory, onProc, procOnly: path === '/proc' && type === undefined };
}

/** Says no for what is not in /proc; init asks the same of what symlinks lead there. */
function isCoverable(path: string, from: string): boolean {
  if (!path.startsWith('/proc/')) return false;
  if (coverableProcFiles.includes(path)) return true;
  throw new TsrunError(`${path} cannot be mounted because it is inside /proc`, {
    about: `${from}/destination`,
    hint: `only these may be: ${coverableProcFiles.join(', ')}`,
  });
}
