import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { TsrunError } from '../errors.ts';
import type { Mount, Spec } from '../generated/spec.ts';
import { openingHint } from '../write.ts';
import { rootlessFacts } from './rootless.ts';
import { rootlessSpec } from './rootless-template.ts';

const defaultCapabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const mounts: Mount[] = [
  { destination: '/proc', type: 'proc', source: 'proc' },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
  },
];

/** The config that `tsrun spec` writes: isolated, unprivileged, read-only, a shell in a terminal. */
export function defaultSpec(): Spec {
  return {
    ociVersion: '1.3.0',
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: {
        bounding: [...defaultCapabilities],
        effective: [...defaultCapabilities],
        permitted: [...defaultCapabilities],
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'tsrun',
    mounts: structuredClone(mounts),
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: [
        { type: 'pid' },
        { type: 'network' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'mount' },
        { type: 'cgroup' },
      ],
      maskedPaths: [...maskedPaths],
      readonlyPaths: [...readonlyPaths],
    },
  };
}

/** What a caller of `tsrun spec` can choose. */
export interface SpecChoices {
  rootless: boolean;
  rootfs: string | undefined;
  writable: boolean;
  terminal: boolean;
  hostname: string | undefined;
  /** name=value. */
  env: readonly string[];
  /** Empty: the default's command. */
  command: readonly string[];
}

/** @throws TsrunError for an environment variable without a value */
export function configured(choices: SpecChoices): Spec {
  const spec = choices.rootless ? rootlessSpec(defaultSpec(), rootlessFacts()) : defaultSpec();
  const wrong = choices.env.find((entry) => entry.indexOf('=') <= 0);
  if (wrong !== undefined) throw new TsrunError(`--env ${JSON.stringify(wrong)}: expected name=value`);
  if (spec.process !== undefined) {
    spec.process.terminal = choices.terminal;
    spec.process.env = [...(spec.process.env ?? []), ...choices.env];
    if (choices.command.length > 0) spec.process.args = [...choices.command];
  }
  spec.root = { path: choices.rootfs ?? 'rootfs', readonly: !choices.writable };
  if (choices.hostname !== undefined) spec.hostname = choices.hostname;
  return spec;
}

/** @throws TsrunError when the file already exists: it must not be overwritten */
export function writeSpec(spec: Spec, path: string): void {
  try {
    writeFileSync(path, `${JSON.stringify(spec, null, 2)}\n`, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') {
      throw new TsrunError(`File ${basename(path)} exists. Remove it first`, { hint: `${path} is left as it is` });
    }
    throw new TsrunError(`cannot write ${path}: ${code}`, { hint: openingHint(error) });
  }
}
