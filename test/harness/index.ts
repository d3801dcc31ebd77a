/** Everything that an integration test needs: `requires`, `sandbox`, and helpers. */

export { atTerminal } from './at-terminal.ts';
export { Bundle } from './bundle.ts';
export { addCHelper, cHelper } from './c-helper.ts';
export {
  cgroup2Controllers,
  cgroup2Mount,
  hasCommand,
  isInVm,
  type MountInfo,
  markOfVm,
  parseMountInfo,
  repoRoot,
} from './host.ts';
export { isAlive } from './leaks.ts';
export { OrdinaryUser, ordinaryId } from './ordinary-user.ts';
export { isExempt, says } from './others.ts';
export { type Result, type Running, type RunOptions, run, sleep, start, waitFor } from './process.ts';
export { type Differences, type Needs, requires } from './requires.ts';
export { busyboxRootfs } from './rootfs.ts';
export { cgroupDriver, runsOnNode, runtimeName, runtimePath } from './runtime.ts';
export { Sandbox, type State, sandbox } from './sandbox.ts';
export { defaultSpec, inUserNamespace, type Mount, type Spec } from './spec.ts';
export { killBefore, lookUps, type Moment, stopAfter, takeAwayCgroup, watchCalls } from './stopped.ts';
export { systemCalls } from './system-calls.ts';
