/** uml: at a job in seconds; cpu, io, memory, pids. qemu: a stock kernel with all controllers. See docs/vm.md. */
export type Tier = 'uml' | 'qemu';

/** The cheapest first. */
export const tiers: readonly Tier[] = ['uml', 'qemu'];

/** The VM could not be made, or ended before its job did. */
export class VmError extends Error {
  override name = 'VmError';
}
