import type { HostFacts } from '../../../src/host/facts.ts';
import { flags as seccompFlags } from '../../../src/linux/seccomp.ts';

/** A host on which everything works; each test takes something away. */
export function capableHost(changes: Partial<HostFacts> = {}): HostFacts {
  return {
    kernel: { release: '6.12.0', major: 6, minor: 12 },
    arch: 'x64',
    uid: 0,
    gid: 0,
    initialUserNamespace: true,
    ownsMounts: true,
    smallMounts: false,
    systemdUser: undefined,
    capabilities: 0x1ffffffffffn,
    lastCapability: 40,
    lsm: { apparmor: true, selinux: true },
    resctrl: { mount: '/sys/fs/resctrl', resources: ['L2', 'L3', 'MB'], monitoring: true },
    cgroup: {
      mode: 'unified',
      mount: '/sys/fs/cgroup',
      options: ['nsdelegate', 'memory_recursiveprot'],
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
      v1Controllers: {},
      own: '/init.scope',
      parent: '/',
    },
    seccompFlags: Object.keys(seccompFlags) as HostFacts['seccompFlags'],
    bfq: false,
    systemd: true,
    nofileSoft: 1024,
    umask: 0o022,
    ...changes,
  };
}
