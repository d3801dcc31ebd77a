/** Runs commands in a VM with systemd and all of cgroup v2; docs/vm.md says how, and what it costs. */
export { type Availability, vmAvailability } from './availability.ts';
export { main } from './cli.ts';
export { ensureImage, ensureTree, type Suite, suites } from './image.ts';
export { runInVm, type VmJob, type VmResult } from './machine.ts';
export { allTiers, type Tier, tiers, VmError } from './tier.ts';
