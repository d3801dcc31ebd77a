import { openSync, statSync } from 'node:fs';
import { errorCode, TsrunError } from '../../errors.ts';
import type { LinuxNamespace, Spec } from '../../generated/spec.ts';

/** Namespaces of others that CRIU can leave out of the images, and the names by which it finds them at restore. */
const outside: Readonly<Record<string, { file: string; key: string }>> = {
  network: { file: 'net', key: 'extRootNetNS' },
  pid: { file: 'pid', key: 'extRootPidNS' },
};

/** Namespaces that CRIU can join, but always saves. */
const joined: Readonly<Record<string, string>> = { ipc: 'ipc', uts: 'uts', time: 'time' };

/** Whether restore joins a namespace of this type that config.json names. */
export function canJoin(type: string): boolean {
  return outside[type] !== undefined || joined[type] !== undefined;
}

/** Namespaces of others that the container has joined, as `net[INODE]:extRootNetNS`. */
export function externalNamespaces(pid: number, spec: Spec): string[] {
  return joinedNamespaces(spec).flatMap(({ type }) => {
    const names = outside[type];
    if (names === undefined) return [];
    const { ino } = statSync(`/proc/${pid}/ns/${names.file}`);
    // CRIU saves nothing of a namespace that it is in itself.
    return ino === statSync(`/proc/self/ns/${names.file}`).ino ? [] : [`${names.file}[${ino}]:${names.key}`];
  });
}

export interface NamespacesToJoin {
  readonly inherited: { key: string; fd: number }[];
  readonly joined: { ns: string; ns_file: string }[];
}

/** @throws TsrunError for a namespace that no longer exists */
export function namespacesToJoin(spec: Spec): NamespacesToJoin {
  const all = joinedNamespaces(spec);
  const inherited = all.flatMap((namespace) => {
    const names = outside[namespace.type];
    return names === undefined ? [] : [{ key: names.key, fd: open(namespace) }];
  });
  return {
    inherited,
    joined: all.flatMap(({ type, path = '' }) =>
      joined[type] === undefined ? [] : [{ ns: joined[type], ns_file: path }],
    ),
  };
}

function joinedNamespaces(spec: Spec): LinuxNamespace[] {
  return (spec.linux?.namespaces ?? []).filter(({ path }) => Boolean(path));
}

function open({ type, path = '' }: LinuxNamespace): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new TsrunError(`cannot open the ${type} namespace ${path}: ${errorCode(error)}`, {
      about: '/linux/namespaces',
      hint: 'the container shares it with others: make it first, and have its path in config.json',
    });
  }
}
