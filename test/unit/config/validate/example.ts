import type { Linux, Process, Spec } from '../../../../src/generated/spec.ts';

/** A Spec with every section that rules look at, for tests to change. */
export interface Example extends Spec {
  process: Process;
  linux: Linux & Required<Pick<Linux, 'namespaces'>>;
}

/** A valid configuration without warnings; a new one with each call. */
export function exampleSpec(): Example {
  return {
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    process: {
      cwd: '/',
      args: ['sh', '-c', 'true'],
      env: ['PATH=/bin', 'EMPTY='],
      user: { uid: 0, gid: 0, umask: 0o22 },
      capabilities: { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], effective: ['CAP_KILL'] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 2 ** 64 }],
    },
    hostname: 'example',
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: {
      namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
      maskedPaths: ['/proc/kcore'],
      resources: { memory: { limit: 1 << 20 }, devices: [{ allow: false, access: 'rwm' }] },
    },
  };
}
