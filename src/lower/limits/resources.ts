import { TsrunError } from '../../errors.ts';
import type { Op } from '../../generated/ops.ts';
import type { LinuxResources } from '../../generated/spec.ts';
import type { CgroupFacts } from '../../host/facts.ts';
import { type CurrentLimits, type KeptWeight, noLimits } from '../../linux/cgroup-values.ts';
import type { Warning } from '../../plan/plan.ts';
import { settleIdle } from './idle.ts';
import { noCgroup2, noCgroup2Hint } from './no-cgroup.ts';
import { lowerCpu } from './resources-cpu.ts';
import { lowerBlockIO } from './resources-io.ts';
import { lowerMemory } from './resources-memory.ts';
import { lowerHugepages, lowerPids, lowerRdma, lowerUnified } from './resources-other.ts';
import type { Setting } from './setting.ts';
import { refuseV1Only } from './v1-only.ts';

export interface LoweredResources {
  /** In the order that the kernel needs. */
  readonly settings: readonly Setting[];
  readonly warnings: readonly Warning[];
  /** The weight that an idle cgroup gets when it is no longer idle. */
  readonly keptWeight: KeptWeight | undefined;
}

/**
 * Turns linux.resources (without devices) into writes to files of cgroup v2. A value that asks for no limit, or a 0
 * where engines write 0 for "not set" (memory.limit, memory.swap, cpu.shares, cpu.quota, cpu.period, blockIO.weight),
 * sets nothing or removes the limit, and needs no controller.
 *
 * @throws TsrunError for what only cgroup v1 can do, and for a controller that this host lacks on cgroup v2
 */
export function lowerResources(
  resources: LinuxResources,
  host: CgroupFacts,
  current: CurrentLimits = noLimits,
): LoweredResources {
  refuseV1Only(resources);
  const warnings: Warning[] = [];
  const asked = [
    // Before memory: the nodes must be set before pages are allocated.
    ...lowerCpu(resources.cpu ?? {}, current),
    ...lowerMemory(resources.memory ?? {}, current),
    ...lowerPids(resources.pids),
    ...lowerBlockIO(resources.blockIO ?? {}),
    ...lowerHugepages(resources.hugepageLimits ?? []),
    ...lowerRdma(resources.rdma ?? {}),
    // Last, because it may override anything above.
    ...lowerUnified(resources.unified ?? {}),
  ];
  const { settings, keptWeight } = settleIdle(asked, current, warnings);
  return { settings: settings.filter((setting) => hasController(setting, host)), warnings, keptWeight };
}

/** The controllers that the settings require. */
export function controllersOf(settings: readonly Setting[]): string[] {
  return [...new Set(settings.map(({ controller }) => controller))].filter((name) => name !== 'core');
}

/** @throws TsrunError when the op sets a limit and the controller is missing */
function hasController({ controller, op }: Setting, host: CgroupFacts): boolean {
  if (controller === 'core' ? host.mount !== null : host.controllers.includes(controller)) return true;
  // Without the controller nothing is limited, as asked for.
  if (!isLimit(op)) return false;
  throw new TsrunError(whereIs(controller, host), {
    code: 'ENOCONTROLLER',
    about: op.from,
    hint: `${host.mount === null ? `${noCgroup2Hint}; or ` : ''}remove the property to go on without it`,
  });
}

/** Files in which 0 is a cgroup's default. */
const zeroByDefault = ['memory.low', 'cpu.idle', 'cpu.max.burst'];

/** Whether the op asks for more than a cgroup's default. */
export function isLimit(op: Op): boolean {
  if (op.op !== 'write-cgroup-file') return true;
  // Without a quota, the period in cpu.max limits nothing.
  if (op.file === 'cpu.max') return !/^\s*max\b/.test(op.value);
  return op.value !== 'max' && !(op.value === '0' && zeroByDefault.includes(op.file));
}

function whereIs(controller: string, { mount, v1Controllers }: CgroupFacts): string {
  if (mount === null) return `${noCgroup2}, so there are no limits`;
  const v1 = v1Controllers[controller === 'io' ? 'blkio' : controller];
  const place = v1 === undefined ? 'the kernel does not offer it there' : `it belongs to cgroup v1, at ${v1}`;
  return `controller ${controller} is missing from cgroup v2 at ${mount}: ${place}`;
}
