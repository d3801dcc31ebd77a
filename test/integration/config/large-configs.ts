/** Configs in which an array or a map is long, for all those of the schema. */

import { type Schema, Spec as specSchema } from '../../../src/generated/schema-tables.ts';
import type { Spec } from '../../harness/index.ts';

export interface LargeConfig {
  /**
   * JSON pointer of the long value, with * for an index or a name; if there are several, followed by what is special.
   */
  name: string;
  /** Makes the value `count` long. The result need not be valid: an error must not take longer either. */
  edit: (spec: Spec, count: number) => void;
  /** The length of the short config; more than eight times that would be refused unread. */
  few: number;
}

type Edits = Record<string, (spec: Spec, count: number) => void>;

function list<T>(count: number, item: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

function map<T>(count: number, entry: (index: number) => [string, T]): Record<string, T> {
  return Object.fromEntries(list(count, entry));
}

function ranges(count: number) {
  return list(count, (i) => ({ containerID: i, hostID: i, size: 1 }));
}

function resources(spec: Spec, value: object): void {
  Object.assign(spec.linux.resources ?? {}, value);
}

function blockIO(name: string): Edits {
  const pointer = `/linux/resources/blockIO/${name}`;
  return {
    [pointer]: (s, n) => {
      resources(s, { blockIO: { [name]: list(n, (i) => ({ major: 8, minor: i, rate: 1, weight: 10 })) } });
    },
  };
}

function hook(name: string): Edits {
  const at = `/hooks/${name}`;
  const set = (s: Spec, hooks: object[]) => Object.assign(s, { hooks: { [name]: hooks } });
  return {
    [at]: (s, n) =>
      set(
        s,
        list(n, () => ({ path: '/x', args: ['x'], env: ['A=b'] })),
      ),
    [`${at}/*/args`]: (s, n) => set(s, [{ path: '/x', args: list(n, (i) => `a${i}`) }]),
    [`${at}/*/env`]: (s, n) => set(s, [{ path: '/x', env: list(n, (i) => `A${i}=b`) }]),
  };
}

function capabilities(name: string): Edits {
  const at = `/process/capabilities/${name}`;
  return {
    [at]: (s, n) => Object.assign(s.process, { capabilities: { [name]: list(n, () => 'CAP_CHOWN') } }),
    [`${at}: unknown`]: (s, n) =>
      Object.assign(s.process, { capabilities: { [name]: list(n, (i) => `CAP_NOT_KNOWN_${i}`) } }),
  };
}

function tmpfs(count: number, options: string[], destination = (i: number) => `/m${i}`) {
  return list(count, (i) => ({ destination: destination(i), type: 'tmpfs', source: 'tmpfs', options }));
}

const mounts: Edits = {
  '/mounts': (s, n) => Object.assign(s, { mounts: tmpfs(n, []) }),
  '/mounts: read-only': (s, n) => Object.assign(s, { mounts: tmpfs(n, ['ro']) }),
  '/mounts: read-only, one on the other': (s, n) => Object.assign(s, { mounts: tmpfs(n, ['ro'], () => '/m') }),
  '/mounts: read-only, side by side': (s, n) =>
    Object.assign(s, { mounts: [...tmpfs(1, ['ro'], () => '/m'), ...tmpfs(n, [], (i) => `/m/${i}`)] }),
  '/mounts: binds': (s, n) => {
    Object.assign(s, { mounts: list(n, (i) => ({ destination: `/m${i}`, source: '/', options: ['bind'] })) });
  },
  '/mounts: remounts': (s, n) => {
    const again = list(n, () => ({ destination: '/m', options: ['remount', 'bind', 'ro'] }));
    Object.assign(s, { mounts: [...tmpfs(1, [], () => '/m'), ...again] });
  },
  '/mounts/*/options': (s, n) =>
    Object.assign(s, {
      mounts: tmpfs(
        1,
        list(n, (i) => `o${i}`),
      ),
    }),
  '/mounts/*/options: known': (s, n) =>
    Object.assign(s, {
      mounts: tmpfs(
        1,
        list(n, (i) => (i % 2 ? 'ro' : 'slave')),
      ),
    }),
  '/mounts/*/uidMappings': (s, n) => Object.assign(s, { mounts: [{ destination: '/m', uidMappings: ranges(n) }] }),
  '/mounts/*/gidMappings': (s, n) => Object.assign(s, { mounts: [{ destination: '/m', gidMappings: ranges(n) }] }),
};

const processLists: Edits = {
  '/process/args': (s, n) => Object.assign(s.process, { args: list(n, (i) => `a${i}`) }),
  '/process/env': (s, n) => Object.assign(s.process, { env: list(n, (i) => `A${i}=b`) }),
  '/process/env: wrong': (s, n) => Object.assign(s.process, { env: list(n, (i) => `A${i}`) }),
  '/process/user/additionalGids': (s, n) => Object.assign(s.process, { user: { additionalGids: list(n, (i) => i) } }),
  '/process/rlimits': (s, n) => {
    Object.assign(s.process, { rlimits: list(n, () => ({ type: 'RLIMIT_CORE', soft: 2 ** 60, hard: 2 ** 60 })) });
  },
  '/process/scheduler/flags': (s, n) => {
    Object.assign(s.process, {
      scheduler: { policy: 'SCHED_OTHER', flags: list(n, () => 'SCHED_FLAG_RESET_ON_FORK') },
    });
  },
};

const linuxLists: Edits = {
  '/linux/namespaces': (s, n) => Object.assign(s.linux, { namespaces: list(n, () => ({ type: 'pid' })) }),
  '/linux/uidMappings': (s, n) => Object.assign(s.linux, { uidMappings: ranges(n) }),
  '/linux/gidMappings': (s, n) => Object.assign(s.linux, { gidMappings: ranges(n) }),
  '/linux/uidMappings: overlapping': (s, n) => {
    Object.assign(s.linux, { uidMappings: list(n, (i) => ({ containerID: i, hostID: 2 * n - i, size: 2 })) });
  },
  '/linux/devices': (s, n) => {
    Object.assign(s.linux, {
      devices: list(n, (i) => ({ type: 'c', path: `/dev/${i}`, major: i % 4096, minor: i })),
    });
  },
  '/linux/devices: one path': (s, n) => {
    Object.assign(s.linux, { devices: list(n, (i) => ({ type: 'c', path: '/dev/x', major: 1, minor: i })) });
  },
  '/linux/devices: one device': (s, n) => {
    Object.assign(s.linux, { devices: list(n, (i) => ({ type: 'c', path: `/dev/${i}`, major: 1, minor: 3 })) });
  },
  '/linux/devices: fifos': (s, n) => {
    Object.assign(s.linux, { devices: list(n, (i) => ({ type: 'p', path: `/dev/${i}` })) });
  },
  '/linux/maskedPaths': (s, n) => Object.assign(s.linux, { maskedPaths: list(n, (i) => `/proc/${i}`) }),
  '/linux/readonlyPaths': (s, n) => Object.assign(s.linux, { readonlyPaths: list(n, (i) => `/proc/${i}`) }),
  '/linux/intelRdt/schemata': (s, n) => Object.assign(s.linux, { intelRdt: { schemata: list(n, () => 'L3:0=f') } }),
  '/linux/memoryPolicy/flags': (s, n) => {
    Object.assign(s.linux, {
      memoryPolicy: { mode: 'MPOL_BIND', nodes: '0', flags: list(n, () => 'MPOL_F_STATIC_NODES') },
    });
  },
  '/linux/personality/flags': (s, n) =>
    Object.assign(s.linux, { personality: { domain: 'LINUX', flags: list(n, (i) => `f${i}`) } }),
  '/linux/resources/devices': (s, n) => {
    resources(s, { devices: list(n, (i) => ({ allow: i % 2 === 0, type: 'c', major: 1, minor: i, access: 'r' })) });
  },
  ...blockIO('weightDevice'),
  ...blockIO('throttleReadBpsDevice'),
  ...blockIO('throttleWriteBpsDevice'),
  ...blockIO('throttleReadIOPSDevice'),
  ...blockIO('throttleWriteIOPSDevice'),
  '/linux/resources/hugepageLimits': (s, n) =>
    resources(s, { hugepageLimits: list(n, (i) => ({ pageSize: `${i + 1}MB`, limit: 1 })) }),
  '/linux/resources/network/priorities': (s, n) => {
    resources(s, { network: { priorities: list(n, (i) => ({ name: `e${i}`, priority: 1 })) } });
  },
};

const action = 'SCMP_ACT_ERRNO';

function seccomp(spec: Spec, value: object): void {
  Object.assign(spec.linux, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', ...value } });
}

const seccompLists: Edits = {
  '/linux/seccomp/architectures': (s, n) => seccomp(s, { architectures: list(n, () => 'SCMP_ARCH_X86') }),
  '/linux/seccomp/flags': (s, n) => seccomp(s, { flags: list(n, () => 'SECCOMP_FILTER_FLAG_LOG') }),
  '/linux/seccomp/syscalls': (s, n) => seccomp(s, { syscalls: list(n, () => ({ names: ['mkdir'], action })) }),
  '/linux/seccomp/syscalls/*/names': (s, n) => seccomp(s, { syscalls: [{ names: list(n, (i) => `x${i}`), action }] }),
  '/linux/seccomp/syscalls/*/args': (s, n) => {
    const args = list(n, (i) => ({ index: 0, value: 2 ** 60 + i * 2 ** 20, op: 'SCMP_CMP_EQ' }));
    seccomp(s, { syscalls: [{ names: ['mkdir'], args, action }] });
  },
};

const maps: Edits = {
  '/annotations': (s, n) => Object.assign(s, { annotations: map(n, (i) => [`a${i}`, 'b']) }),
  '/annotations: of systemd': (s, n) => {
    Object.assign(s, { annotations: map(n, (i) => [`org.systemd.property.A${i}`, 'true']) });
  },
  '/linux/sysctl': (s, n) => Object.assign(s.linux, { sysctl: map(n, (i) => [`net.a${i}`, '1']) }),
  '/linux/sysctl: of the host': (s, n) => Object.assign(s.linux, { sysctl: map(n, (i) => [`vm.a${i}`, '1']) }),
  '/linux/resources/unified': (s, n) => resources(s, { unified: map(n, (i) => [`c${i}.max`, '1']) }),
};

/** Maps of objects, which have names of their own. */
const mapsOfObjects: Edits = {
  '/linux/netDevices': (s, n) => Object.assign(s.linux, { netDevices: map(n, (i) => [`eth${i}`, { name: `e${i}` }]) }),
  '/linux/resources/rdma': (s, n) => resources(s, { rdma: map(n, (i) => [`r${i}`, { hcaHandles: 1 }]) }),
};

const hooks = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'].map(hook);
const sets = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'].map(capabilities);

/** The number of properties times that of different names is limited (src/config/read/key-limit.ts). */
export const largeConfigs: LargeConfig[] = [
  ...few(1000, mounts, processLists, linuxLists, seccompLists, ...hooks, ...sets),
  ...few(1000, maps),
  ...few(800, mapsOfObjects),
];

function few(count: number, ...edits: Edits[]): LargeConfig[] {
  return edits.flatMap((edit) => Object.entries(edit)).map(([name, edit]) => ({ name, edit, few: count }));
}

/** Pointers of all arrays and maps of the specification, without those of other platforms, which are not read. */
export function listsOfSchema(schema: Schema = specSchema, pointer = ''): string[] {
  switch (schema.kind) {
    case 'array':
      return [pointer, ...listsOfSchema(schema.items, `${pointer}/*`)];
    case 'map':
      return schema.values === undefined ? [] : [pointer, ...listsOfSchema(schema.values, `${pointer}/*`)];
    case 'object':
      return Object.entries(schema.properties).flatMap(([name, inner]) => listsOfSchema(inner, `${pointer}/${name}`));
    default:
      return [];
  }
}
