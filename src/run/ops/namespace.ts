import { constants, fstatSync, openSync, statSync } from 'node:fs';
import { addon } from '../../addon.ts';
import { closeQuietly } from '../../close.ts';
import { errorCode, systemHint, TsrunError } from '../../errors.ts';
import type { OpenNamespaceOp } from '../../generated/ops.ts';
import { namespaceFlags } from '../../linux/namespaces.ts';

/**
 * Opens a namespace to be joined.
 *
 * @returns its descriptor; the kernel has confirmed its type
 * @throws TsrunError when it does not exist, has another type ("the runtime MUST generate an error", config-linux.md,
 *   Namespaces), or is the runtime's own although a property would change it
 */
export function openNamespace(op: OpenNamespaceOp): number {
  const fd = open(op);
  try {
    demandType(fd, op);
    if (op.privateFor !== null) demandForeign(fd, op.privateFor, op);
    return fd;
  } catch (error) {
    closeQuietly(fd);
    throw error;
  }
}

function open({ from, path }: OpenNamespaceOp): number {
  try {
    // O_NONBLOCK so that a FIFO does not block us.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw new TsrunError(`cannot open ${path}: ${errorCode(error)}`, {
      about: from,
      hint: openHint(errorCode(error)),
      cause: error,
      code: 'EINVALIDSPEC',
    });
  }
}

/** A hint for a namespace's file that cannot be opened. */
export function openHint(code: string): string | undefined {
  if (code === 'ENOENT') return 'does the process or container that it belongs to still run?';
  if (code === 'EACCES' || code === 'EPERM')
    return 'opening it takes permission to trace that process (ptrace(2)), which root usually has';
  return systemHint({ code });
}

function demandType(fd: number, { from, path, type }: OpenNamespaceOp): void {
  const found = typeOf(fd);
  if (found === type) return;
  const what = found === undefined ? 'not a namespace' : `a ${found} namespace`;
  throw new TsrunError(`${path} is ${what}, not a ${type} namespace`, {
    about: from,
    hint: 'give a namespace file such as /proc/PID/ns/net, or a bind mount of one',
  });
}

function typeOf(fd: number): string | undefined {
  let flag: number;
  try {
    flag = addon().namespaceType(fd);
  } catch (error) {
    // What a file that is not a namespace answers to an ioctl that it does not know.
    if (['ENOTTY', 'EINVAL'].includes(errorCode(error))) return undefined;
    throw error;
  }
  return Object.entries(namespaceFlags).find(([, value]) => value === flag)?.[0] ?? 'different';
}

/** Names below /proc/PID/ns of the namespaces that properties of the config change. */
const files: Readonly<Record<string, string>> = { network: 'net', ipc: 'ipc', uts: 'uts', user: 'user' };

function demandForeign(fd: number, property: string, { from, type, path }: OpenNamespaceOp): void {
  const theirs = fstatSync(fd);
  const ours = statSync(`/proc/self/ns/${files[type] ?? type}`);
  if (theirs.ino !== ours.ino || theirs.dev !== ours.dev) return;
  throw new TsrunError(`would change the host: ${from} ${path} is the runtime's own ${type} namespace`, {
    about: property,
    hint: 'leave the path out for a new namespace',
  });
}
