/** Properties of the process itself (src/lower/process/process.ts, scheduler.ts, labels.ts and others). */
import t from 'tap';
import { type EditableSpec, golden, part, planOf } from './golden.ts';

function everyAttribute(spec: EditableSpec): void {
  Object.assign(spec.process, {
    user: { uid: 1000, gid: 100, umask: 0o027, additionalGids: [7, 8] },
    rlimits: [
      { type: 'RLIMIT_NOFILE', soft: 1024, hard: 4096 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 2 ** 64 },
    ],
    noNewPrivileges: true,
    apparmorProfile: 'tsrun-default',
    selinuxLabel: 'system_u:system_r:container_t:s0:c1,c2',
    oomScoreAdj: -500,
    scheduler: { policy: 'SCHED_BATCH', nice: 5, flags: ['SCHED_FLAG_RESET_ON_FORK'] },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 },
  });
  Object.assign(spec.linux, {
    mountLabel: 'system_u:object_r:container_file_t:s0:c1,c2',
    memoryPolicy: { mode: 'MPOL_INTERLEAVE', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] },
    personality: { domain: 'LINUX32' },
    intelRdt: { closID: 'gold', l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=50', enableMonitoring: true },
  });
}

t.test('every attribute of the process', async (t) => {
  golden(t, 'process', part(planOf(everyAttribute), ['enter-cwd'], 'exec'));
});

t.test('in a user namespace hard limits are raised before it is entered', async (t) => {
  golden(
    t,
    'process-user-namespace',
    part(
      planOf((spec) => {
        everyAttribute(spec);
        spec.linux.namespaces?.push({ type: 'user' });
        spec.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
        spec.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
      }),
      ['set-oom-score-adj'],
      'unshare',
    ),
  );
});

t.test('without a process there is only a container', async (t) => {
  golden(
    t,
    'process-absent',
    part(
      planOf((spec) => {
        delete (spec as { process?: unknown }).process;
      }),
      ['readonly-root'],
      'wait-start',
    ),
  );
});
