import { commit, version } from '../build-info.ts';
import { criuConfigAnnotation } from '../criu/annotation.ts';
import type {
  Features,
  LinuxFeatures,
  MemoryPolicyFlag,
  MemoryPolicyMode,
  NamespaceType,
  SeccompFlag,
} from '../generated/spec.ts';
import { capabilityNames } from '../linux/capabilities.ts';
import { namespaceFlags } from '../linux/namespaces.ts';
import { seccompFeatures } from '../linux/seccomp.ts';
import { hookKinds } from '../lower/hooks.ts';
import { knownMountOptions } from '../lower/mounts/mount-options.ts';
import { memoryPolicyFlags, memoryPolicyModes } from '../lower/process/memory-policy.ts';
import { keepGroupsAnnotation } from '../lower/process/user.ts';
import { specVersion } from '../spec-version.ts';
import { annotationPrefix } from '../systemd/unit-properties.ts';

/** The few facts about this host in the document. */
export interface FeatureFacts {
  /** Flags of seccomp(2) that the kernel knows. */
  readonly seccompFlags: readonly SeccompFlag[];
  readonly libseccompVersion: string;
}

/**
 * features.md: what tsrun can do on a kernel that has everything, whatever this host has (`tsrun check` tells that).
 * Built from the tables that lowering uses, so that it cannot promise anything else.
 *
 * @param commands names of the implemented commands
 */
export function features(commands: readonly string[], facts: FeatureFacts): Features {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: specVersion,
    hooks: [...hookKinds],
    mountOptions: [...knownMountOptions],
    linux: linuxFeatures(facts),
    annotations: {
      'io.tsrun.version': version,
      'io.tsrun.commit': commit,
      // Engines look for this name in every runtime.
      'org.opencontainers.runc.checkpoint.enabled': String(commands.includes('checkpoint')),
      'io.github.seccomp.libseccomp.version': facts.libseccompVersion,
    },
    // What CRIU is told; any property of the container's unit that systemd allows to set; and the groups of the
    // runtime's caller.
    potentiallyUnsafeConfigAnnotations: [criuConfigAnnotation, annotationPrefix, keepGroupsAnnotation],
  };
}

function linuxFeatures({ seccompFlags }: FeatureFacts): LinuxFeatures {
  return {
    namespaces: (Object.keys(namespaceFlags) as NamespaceType[]).sort(),
    capabilities: [...capabilityNames],
    cgroup: { v1: false, v2: true, systemd: true, systemdUser: true, rdma: true },
    seccomp: seccompFeatures(seccompFlags),
    apparmor: { enabled: true },
    selinux: { enabled: true },
    intelRdt: {
      enabled: true,
      schemata: true,
      monitoring: true,
    },
    memoryPolicy: {
      modes: Object.keys(memoryPolicyModes) as MemoryPolicyMode[],
      flags: Object.keys(memoryPolicyFlags) as MemoryPolicyFlag[],
    },
    mountExtensions: {
      idmap: { enabled: knownMountOptions.includes('idmap') },
    },
    netDevices: { enabled: true },
  };
}
