import { TsrunError } from '../../errors.ts';
import type { LinuxResources } from '../../generated/spec.ts';

/** A property that only cgroup v1 had, the values that ask for nothing (engines write them), and what to do. */
type V1Only = readonly [place: string, value: unknown, harmless: readonly unknown[], hint: string];

/**
 * config-linux.md, Unified: a property that cannot be converted to cgroup v2 is an error.
 *
 * @throws TsrunError that names the first such property
 */
export function refuseV1Only(resources: LinuxResources): void {
  for (const [place, value, harmless, hint] of v1Only(resources)) {
    if (value === undefined || harmless.includes(value)) continue;
    throw new TsrunError('only cgroup v1 can do this, and tsrun uses cgroup v2', {
      about: `/linux/resources/${place}`,
      hint,
    });
  }
}

/** As in schemas/, for the test that no property goes unread. */
export const v1OnlyProperties: readonly string[] = [
  '/linux/resources/memory/kernel',
  '/linux/resources/memory/kernelTCP',
  '/linux/resources/memory/swappiness',
  '/linux/resources/memory/disableOOMKiller',
  '/linux/resources/cpu/realtimeRuntime',
  '/linux/resources/cpu/realtimePeriod',
  '/linux/resources/network/classID',
  '/linux/resources/network/priorities',
  '/linux/resources/blockIO/leafWeight',
  '/linux/resources/blockIO/weightDevice/*/leafWeight',
];

function v1Only({ memory = {}, cpu = {}, network = {}, blockIO = {} }: LinuxResources): V1Only[] {
  const { kernel, kernelTCP, swappiness, disableOOMKiller, useHierarchy } = memory;
  const realtime = 'cgroup v2 has no realtime bandwidth: use /process/scheduler';
  const network2 = 'cgroup v2 marks no packets: match the cgroup with nft (socket cgroupv2) or eBPF';
  const leaf = 'cgroup v2 has no weight for a cgroup against its own children';
  return [
    ['memory/kernel', kernel, [0, -1], 'memory/limit counts kernel memory too'],
    ['memory/kernelTCP', kernelTCP, [0, -1], 'memory/limit counts socket buffers too'],
    ['memory/swappiness', swappiness, [], 'set memory.swap, or the sysctl vm.swappiness of the host'],
    ['memory/disableOOMKiller', disableOOMKiller, [false], 'unified memory.high slows down instead of killing'],
    ['memory/useHierarchy', useHierarchy, [true], 'cgroup v2 always counts what is below'],
    ['cpu/realtimeRuntime', cpu.realtimeRuntime, [0], realtime],
    ['cpu/realtimePeriod', cpu.realtimePeriod, [0], realtime],
    ['network/classID', network.classID, [0], network2],
    ['network/priorities', network.priorities?.length, [0], network2],
    ['blockIO/leafWeight', blockIO.leafWeight, [0], leaf],
    ...(blockIO.weightDevice ?? []).map(
      ({ leafWeight }, index): V1Only => [`blockIO/weightDevice/${index}/leafWeight`, leafWeight, [0], leaf],
    ),
  ];
}
