import type { RuleCase } from './rules-errors.ts';

export const warningCases: RuleCase[] = [
  ...(
    [
      ['run.oci.systemd.subgroup', 'x', /no effect.*in the scope itself/],
      ['run.oci.pidfd_receiver', '/s', /--pidfd-socket/],
      ['run.oci.keep_original_group', '1', /did you mean "run\.oci\.keep_original_groups"/],
    ] as const
  ).map(
    ([name, value, says]): RuleCase => ({
      rule: 'annotation-ignored',
      what: name,
      change: (spec) => {
        spec.annotations = { [name]: value };
      },
      at: `/annotations/${name}`,
      says,
    }),
  ),
  ...(
    [
      ['run.oci.systemd.subgroup', ''],
      ['run.oci.mount_context_type', 'rootcontext'],
      ['run.oci.keep_original_groups', '1'],
      ['run.ociX', '1'],
    ] as const
  ).map(
    ([name, value]): RuleCase => ({
      rule: 'annotation-ignored',
      what: `${name} is honoured, or none of crun’s`,
      change: (spec) => {
        spec.annotations = { [name]: value };
      },
      at: undefined,
    }),
  ),
  ...(['SCHED_FIFO', 'SCHED_DEADLINE', 'SCHED_IDLE', 'SCHED_OTHER'] as const).map(
    (policy): RuleCase => ({
      rule: 'scheduler-nice-unused',
      what: policy,
      change: (spec) => {
        const times = policy === 'SCHED_DEADLINE' && { runtime: 1, deadline: 2, period: 3 };
        spec.process.scheduler = { policy, nice: 5, ...(policy === 'SCHED_FIFO' && { priority: 1 }), ...times };
      },
      at: policy === 'SCHED_OTHER' ? undefined : '/process/scheduler/nice',
    }),
  ),
  {
    rule: 'memory-swap-unlimited',
    what: 'memory without a limit',
    change: (spec) => {
      spec.linux.resources = { memory: { limit: -1, swap: 4096 } };
    },
    at: '/linux/resources/memory/swap',
  },
  {
    rule: 'username-without-uid',
    what: 'a name alone',
    change: (spec) => {
      spec.process.user = { username: 'www' };
    },
    at: '/process/user/username',
    says: /runs as root, not as "www"/,
  },
  {
    rule: 'console-size-without-terminal',
    what: 'no terminal',
    change: (spec) => {
      spec.process.consoleSize = { height: 24, width: 80 };
    },
    at: '/process/consoleSize',
  },
  {
    rule: 'capability-unknown',
    what: 'without its prefix, in two sets',
    change: (spec) => {
      spec.process.capabilities = { bounding: ['NET_ADMIN'], permitted: ['NET_ADMIN'], effective: ['NET_ADMIN'] };
    },
    at: '/process/capabilities/bounding/0',
    says: /unknown capability "NET_ADMIN".*did you mean "CAP_NET_ADMIN"\?/,
  },
  {
    rule: 'capability-not-permitted',
    what: 'only effective',
    change: (spec) => {
      spec.process.capabilities = { effective: ['CAP_KILL'] };
    },
    at: '/process/capabilities/effective/0',
  },
  {
    rule: 'capability-ambient',
    what: 'not inheritable',
    change: (spec) => {
      spec.process.capabilities = { permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] };
    },
    at: '/process/capabilities/ambient/0',
    says: /not in \/process\/capabilities\/inheritable/,
  },
  {
    rule: 'capability-ambient',
    what: 'as it should be',
    change: (spec) => {
      spec.process.capabilities = { permitted: ['CAP_KILL'], inheritable: ['CAP_KILL'], ambient: ['CAP_KILL'] };
    },
    at: undefined,
  },
  {
    rule: 'mount-destination-relative',
    what: 'relative',
    change: (spec) => {
      spec.mounts = [{ destination: 'proc', type: 'proc', source: 'proc' }];
    },
    at: '/mounts/0/destination',
    says: /taken as "\/proc"/,
  },
  {
    rule: 'device-numbers-duplicate',
    what: 'two paths',
    change: (spec) => {
      spec.linux.devices = [
        { path: '/a', type: 'c', major: 1, minor: 3 },
        { path: '/b', type: 'u', major: 1, minor: 3 },
        { path: '/f', type: 'p' },
        { path: '/g', type: 'p' },
      ];
    },
    at: '/linux/devices/1',
    says: /same device as \/a/,
  },
  {
    rule: 'memory-reservation',
    what: 'above the limit',
    change: (spec) => {
      spec.linux.resources = { memory: { limit: 1, reservation: 2 } };
    },
    at: '/linux/resources/memory/reservation',
  },
  {
    rule: 'seccomp-listener-unused',
    what: 'no notification',
    change: (spec) => {
      spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/s' };
    },
    at: '/linux/seccomp/listenerPath',
  },
  {
    rule: 'intel-rdt-l3-schema',
    what: 'another resource',
    change: (spec) => {
      spec.linux.intelRdt = { l3CacheSchema: 'L2:0=f' };
    },
    at: '/linux/intelRdt/l3CacheSchema',
  },
];
