import { addon } from '../../../addon.ts';
import { errorLines } from '../../../criu/log.ts';
import { CriuService } from '../../../criu/service.ts';
import { TsrunError } from '../../../errors.ts';
import type { Spec } from '../../../generated/spec.ts';
import { pipeProblem } from '../lazy-pages.ts';
import { canJoin } from '../namespaces.ts';
import type { Found, Obstacle } from './obstacle.ts';

/** Flags of the command line that need something of the kernel. */
export interface KernelFlags {
  readonly preDump: boolean;
  readonly parentPath: string | undefined;
  readonly lazyPages: boolean;
}

/** Reports if CRIU is missing or does not work on this kernel. */
export function hostObstacles({ preDump, parentPath, lazyPages }: KernelFlags): Obstacle[] {
  try {
    new CriuService({}).close();
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    return [{ rule: 'criu', message: error.message, hint: error.hint }];
  }
  const pipes = lazyPages ? pipeProblem() : undefined;
  const tracks = preDump || parentPath !== undefined;
  return [
    ...works([], 'criu check', 'give this kernel the options that https://criu.org/Linux_kernel lists'),
    ...(tracks ? works(['--feature', 'mem_dirty_track'], '--pre-dump', 'it needs CONFIG_MEM_SOFT_DIRTY') : []),
    ...(lazyPages ? works(['--feature', 'uffd-noncoop'], '--lazy-pages', 'it needs CONFIG_USERFAULTFD') : []),
    ...(pipes === undefined ? [] : [{ rule: 'capability', ...pipes }]),
  ];
}

function works(args: readonly string[], what: string, hint: string): Obstacle[] {
  const { code, stdout, stderr } = addon().runProgram(['criu', 'check', ...args]);
  if (code === 0) return [];
  const said = errorLines(`${stdout}\n${stderr}`).join('; ') || 'CRIU does not work on this kernel';
  return [{ rule: 'kernel', message: `${what}: ${said}`, hint }];
}

/** Namespaces that belong to others: restore does not make them. */
export function sharedNamespaces(spec: Spec): Found['warnings'] {
  const namespaces = spec.linux?.namespaces ?? [];
  const joined = namespaces.filter(({ path }) => Boolean(path));
  const own = new Set(namespaces.map(({ type }) => type));
  const shared = (type: 'network' | 'pid' | 'ipc', message: string, hint?: string): Obstacle[] =>
    own.has(type) ? [] : [{ rule: 'shared-namespace', message, hint }];
  return [
    ...joined.map(({ type, path }) => ({
      rule: 'joined-namespace',
      message: canJoin(type)
        ? `the ${type} namespace ${path} belongs to others: restore joins what config.json names then`
        : `restore joins no ${type} namespace: ${path} is not the container's any more then`,
      hint: type === 'network' ? 'make it first, with the same addresses where connections are to be kept' : undefined,
    })),
    ...shared('pid', 'it shares the host’s pid namespace: restore needs the same pids to be free'),
    ...shared('network', 'it shares the host’s network: restore needs the same addresses and ports to be free'),
    ...shared('ipc', 'it shares the host’s ipc namespace: System V shared memory and queues are not saved'),
  ];
}
