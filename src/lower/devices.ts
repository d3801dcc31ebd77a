import type { Op } from '../generated/ops.ts';
import type { Context } from './context.ts';

const characterDevice = 0o020000;

/** Devices every container has (config-linux.md, Default Devices). */
const defaultDevices: readonly { path: string; major: number; minor: number }[] = [
  { path: '/dev/null', major: 1, minor: 3 },
  { path: '/dev/zero', major: 1, minor: 5 },
  { path: '/dev/full', major: 1, minor: 7 },
  { path: '/dev/random', major: 1, minor: 8 },
  { path: '/dev/urandom', major: 1, minor: 9 },
  { path: '/dev/tty', major: 5, minor: 0 },
];

/** runtime-linux.md, Dev symbolic links; /dev/ptmx of config-linux.md, Default Devices. */
const links: readonly { path: string; target: string }[] = [
  { path: '/dev/fd', target: '/proc/self/fd' },
  { path: '/dev/stdin', target: '/proc/self/fd/0' },
  { path: '/dev/stdout', target: '/proc/self/fd/1' },
  { path: '/dev/stderr', target: '/proc/self/fd/2' },
  { path: '/dev/ptmx', target: 'pts/ptmx' },
];

export function lowerDefaultDevices(_context: Context): Op[] {
  const devices = defaultDevices.map(({ path, major, minor }): Op => {
    const mode = characterDevice | 0o666;
    return { op: 'make-device', by: 'init', from: 'default', path, mode, major, minor, uid: 0, gid: 0 };
  });
  const symlinks = links.map(
    ({ path, target }): Op => ({ op: 'make-symlink', by: 'init', from: 'default', path, target }),
  );
  return [...devices, ...symlinks];
}
