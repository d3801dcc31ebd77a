/** Links to the sockets of engines, by which `start` finds them without Node (addon/shim). */
import { readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The directory of the sockets of containerd's own shims. */
export const socketDirectory = '/run/containerd/s';

/**
 * Leaves a link to the socket for later starts with the same options, which then need no Node (addon/shim). Its path
 * comes from there.
 */
export function leaveLink(address: string): void {
  const link = process.env.TSRUN_SHIM_LINK ?? '';
  if (link === '') return;
  rmSync(`${link}.new`, { force: true });
  symlinkSync(address.replace('unix://', ''), `${link}.new`);
  renameSync(`${link}.new`, link);
}

/** Removes the links to a socket that goes. */
export function removeLinks(socket: string): void {
  for (const name of readdirSync(socketDirectory)) {
    const link = join(socketDirectory, name);
    if (name.startsWith('tsrun-at-') && readlinkSync(link) === socket) rmSync(link);
  }
}
