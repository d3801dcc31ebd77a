/** Mistakes in linux. */
import { type Broken, set, withoutNamespace, wrong } from './broken.ts';

export const brokenLinux: Readonly<Record<string, Broken>> = {
  'a namespace of no known type': {
    edit: ({ linux }) => linux.namespaces.push({ type: 'net' as never }),
    property: /\/linux\/namespaces\/6\/type/,
    wayOut: /network/,
    marked: /^"net"$/,
  },
  'a namespace twice': {
    edit: ({ linux }) => linux.namespaces.push({ type: 'pid' }),
    property: /\/linux\/namespaces\/6/,
    wayOut: /remove one of the two/,
    marked: /^\{$/,
  },
  'a namespace to join that is not there': {
    edit: ({ linux }) => {
      linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'network');
      linux.namespaces.push({ type: 'network', path: '/run/netns/webb' });
    },
    property: /\/linux\/namespaces\/5.*\/run\/netns\/webb/,
    wayOut: /hint: /,
    marked: /./,
  },
  'a host name without a namespace for it': {
    edit: ({ linux }) => {
      linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'uts');
    },
    property: /\/hostname/,
    wayOut: /add \{"type": "uts"\} to \/linux\/namespaces/,
    marked: /^"tsrun"$/,
  },
  'mappings without a user namespace': {
    edit: ({ linux }) => {
      linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }];
    },
    property: /\/linux\/uidMappings/,
    wayOut: /add \{"type": "user"\} to \/linux\/namespaces/,
    marked: /^\[$/,
  },
  'a kernel parameter of the host': {
    edit: ({ linux }) => {
      linux.sysctl = { 'vm.swappiness': '1' };
    },
    property: /\/linux\/sysctl\/vm\.swappiness/,
    wayOut: /leave it out/,
    marked: /^"1"$/,
  },
  'a kernel parameter without its namespace': {
    edit: ({ linux }) => {
      linux.sysctl = { 'net.ipv4.ip_forward': '1' };
      linux.namespaces = linux.namespaces.filter(({ type }) => type !== 'network');
    },
    property: /\/linux\/sysctl\/net\.ipv4\.ip_forward/,
    wayOut: /add \{"type": "network"\}/,
    marked: /^"1"$/,
  },
  'a seccomp action of no known name': {
    edit: ({ linux }) => {
      linux.seccomp = { defaultAction: 'SCMP_ACT_DENY' as never };
    },
    property: /\/linux\/seccomp\/defaultAction/,
    wayOut: /SCMP_ACT_KILL|one of/,
    marked: /^"SCMP_ACT_DENY"$/,
  },
  'a seccomp listener without a socket': {
    edit: ({ linux }) => {
      linux.seccomp = {
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }],
      };
    },
    property: /\/linux\/seccomp: SCMP_ACT_NOTIFY needs listenerPath/,
    wayOut: /socket of the agent/,
    marked: /^\{$/,
  },
  'an AppArmor profile that nobody has': {
    edit: (spec) => set(spec, '/process/apparmorProfile', 'web'),
    property: /\/process\/apparmorProfile/,
    wayOut: /remove the property|load/,
    marked: /^"web"$/,
  },
  'a limit that only cgroup v1 had': {
    edit: ({ linux }) => {
      linux.resources = { memory: { swappiness: 10 } };
    },
    property: /\/linux\/resources\/memory\/swappiness/,
    wayOut: /hint: /,
    marked: /^10$/,
  },
  'a limit in words': {
    edit: ({ linux }) => {
      linux.resources = { memory: { limit: '512M' as never } };
    },
    property: /\/linux\/resources\/memory\/limit/,
    wayOut: /must be an integer/,
    marked: /^"512M"$/,
  },
  'IDs of no size': wrong(
    '/linux',
    {
      namespaces: [{ type: 'user' }, { type: 'mount' }, { type: 'uts' }],
      uidMappings: [{ containerID: 0, hostID: 0, size: 0 }],
      gidMappings: [{ containerID: 0, hostID: 0, size: 1 }],
    },
    /\/linux\/uidMappings\/0\/size/,
    /how many IDs/,
    /^0$/,
  ),
  'a kernel parameter that is misspelt': wrong(
    '/linux/sysctl',
    { 'net.ipv4.ip_froward': '1' },
    /ip_froward/,
    /did you mean "ip_forward"/,
    /^"1"$/,
  ),
  'a kernel parameter that is a number': wrong(
    '/linux/sysctl',
    { 'net.ipv4.ip_forward': 1 },
    /ip_forward/,
    /did you mean "1"/,
    /^1$/,
  ),
  'a masked path that is relative': wrong(
    '/linux/maskedPaths',
    ['proc/kcore'],
    /\/linux\/maskedPaths\/0/,
    /did you mean "\/proc\/kcore"/,
    /kcore/,
  ),
  'a propagation that is misspelt': wrong(
    '/linux/rootfsPropagation',
    'rprivat',
    /\/linux\/rootfsPropagation/,
    /did you mean "rprivate"/,
    /^"rprivat"$/,
  ),
  'a domain of no architecture': wrong(
    '/linux/personality',
    { domain: 'linux32' },
    /\/linux\/personality\/domain/,
    /did you mean "LINUX32"/,
    /linux32/,
  ),
  'a clock without its namespace': wrong(
    '/linux/timeOffsets',
    { boottime: { secs: 10 } },
    /\/linux\/timeOffsets/,
    /add \{"type": "time"\}/,
    /^\{$/,
  ),
  'a network device that is not there': wrong('/linux/netDevices', { eth77: {} }, /eth77/, /ip link lists/, /^\{$/),
  'a cgroup path that leads outside': wrong(
    '/linux/cgroupsPath',
    '/a/../../b',
    /\/linux\/cgroupsPath/,
    /must not contain "\.\."/,
    /^"/,
  ),
  'a policy for memory that is misspelt': wrong(
    '/linux/memoryPolicy',
    { mode: 'MPOL_BOUND', nodes: '0' },
    /\/linux\/memoryPolicy\/mode/,
    /did you mean "MPOL_BIND"/,
    /MPOL_BOUND/,
  ),
  'a namespace file of another type': {
    edit: (spec) => {
      withoutNamespace(spec, 'network');
      spec.linux.namespaces.push({ type: 'network', path: '/proc/self/ns/ipc' });
    },
    property: /\/linux\/namespaces\/5\/path/,
    wayOut: /\/proc\/PID\/ns\/net/,
    marked: /^"\/proc\/self\/ns\/ipc"$/,
  },
  'mounts without a namespace for them': {
    edit: (spec) => withoutNamespace(spec, 'mount'),
    property: /\/mounts/,
    wayOut: /add \{ "type": "mount" \}/,
    marked: /^\[$/,
  },
  'a user namespace without mappings': {
    edit: ({ linux }) => linux.namespaces.push({ type: 'user' }),
    property: /needs uidMappings/,
    wayOut: /such as 0 to 100000/,
    marked: /^\{$/,
  },
};
