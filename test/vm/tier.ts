/**
 * uml: starts a job within seconds; cpu, io, memory, pids. qemu: a stock kernel with all controllers. aarch64: another
 * architecture, without systemd. See docs/vm.md.
 */
export type Tier = 'uml' | 'qemu' | 'aarch64';

/** The tiers that have what the machine itself may lack, the cheapest first. */
export const tiers: readonly Tier[] = ['uml', 'qemu'];

export const allTiers: readonly Tier[] = [...tiers, 'aarch64'];

/** The VM could not be made, or ended before its job. */
export class VmError extends Error {
  override name = 'VmError';
}
