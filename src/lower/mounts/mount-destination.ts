import { normalize } from 'node:path';
import { TsrunError } from '../../errors.ts';

/**
 * Files of procfs that a mount may hide: lxcfs and similar programs show the container's own numbers there. A mount
 * over any other file could redirect writes meant for the kernel (CVE-2019-16884).
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

/** Where a mount goes, and what must hold there. */
export interface Destination {
  readonly path: string;
  /** No symlink may lead there: it is an interface of the kernel's. */
  readonly realDirectory: boolean;
  /** The mount may hide a part of the container's procfs. */
  readonly onProc: boolean;
  /** Only a procfs may be mounted there. */
  readonly procOnly: boolean;
}

/**
 * "A relative destination is relative to /" (config.md, Mounts; deprecated).
 *
 * @param type the filesystem's type; undefined for a bind
 * @throws TsrunError for a destination where nothing may be mounted
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

/** False for what is not in /proc; init checks where symlinks lead in the same way. */
function isCoverable(path: string, from: string): boolean {
  if (!path.startsWith('/proc/')) return false;
  if (coverableProcFiles.includes(path)) return true;
  throw new TsrunError(`${path} cannot be mounted because it is inside /proc`, {
    about: `${from}/destination`,
    hint: `only these may be: ${coverableProcFiles.join(', ')}`,
  });
}
