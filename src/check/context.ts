import type { Spec } from '../generated/spec.ts';
import type { HostFacts } from '../host/facts.ts';
import type { CgroupManager } from '../lower/context.ts';
import type { Probe } from './probe.ts';

export interface CheckContext {
  readonly spec: Spec;
  readonly host: HostFacts;
  /** Absolute paths. */
  readonly bundle: string;
  readonly rootfs: string;
  readonly cgroupManager: CgroupManager;
  readonly probe: Probe;
}
