/** The agent that answers SCMP_ACT_NOTIFY (config-linux.md, Seccomp and The Container Process State). */
import { resolve } from 'node:path';
import { closeQuietly } from '../close.ts';
import type { ContainerProcessState, LinuxSeccomp, State } from '../generated/spec.ts';
import { sendDescriptor } from '../host/descriptor-sockets.ts';

export interface SeccompListener {
  /** Absolute path of the agent's socket. */
  readonly path: string;
  /** Passed on unchanged. */
  readonly metadata?: string;
}

/** @param bundle the directory that a relative listenerPath starts at */
export function listenerOf(seccomp: LinuxSeccomp | undefined, bundle: string): SeccompListener | null {
  if (!seccomp?.listenerPath) return null;
  const { listenerPath, listenerMetadata } = seccomp;
  const path = resolve(bundle, listenerPath);
  return listenerMetadata === undefined ? { path } : { path, metadata: listenerMetadata };
}

/**
 * Sends the listener to the agent over a new connection, and closes it here.
 *
 * @param pid of the filtered process, as this process sees it
 * @throws TsrunError when the agent cannot be reached
 */
export function handListenerOver({ path, metadata }: SeccompListener, fd: number, pid: number, state: State): void {
  const message: ContainerProcessState = {
    ociVersion: state.ociVersion,
    fds: ['seccompFd'],
    pid,
    ...(metadata === undefined ? {} : { metadata }),
    state,
  };
  try {
    sendDescriptor(path, JSON.stringify(message), fd, '/linux/seccomp/listenerPath');
  } finally {
    closeQuietly(fd);
  }
}
