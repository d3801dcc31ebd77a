/** Attributes of the process besides its identity, seen from inside: limits, scheduling, memory policy, personality. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { hasCapability } from '../../harness/host.ts';
import { inUserNamespace, requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
/** For what Debian's crun 1.8 and runc 1.1 are too old for, and for tsrun's own words. */
const onlyHere = requires({ root: true, runtime: 'tsrun' });
const mayRaise = hasCapability('CAP_SYS_RESOURCE') && 'this machine has CAP_SYS_RESOURCE';
const mayRaiseOnly = requires({ root: true, runtime: 'tsrun', capabilities: ['CAP_SYS_RESOURCE'] });
const lsmIsOn =
  (existsSync('/sys/module/apparmor/parameters/enabled') || existsSync('/sys/fs/selinux/enforce')) &&
  'this machine has AppArmor or SELinux';

/** Runs a container that must be refused; returns the error. */
async function refusal(box: Sandbox, edit: (spec: Spec) => void): Promise<string> {
  const { code, stderr } = await box.runContainer(['/bin/true'], edit);
  if (code === 0) throw new Error('the container ran');
  return stderr;
}

t.test('rlimits have exactly the values of the config', { skip }, async (t) => {
  const limits = await sandbox(t).outputOf('cat /proc/self/limits', (spec) => {
    spec.process.rlimits = [
      { type: 'RLIMIT_AS', soft: 2 ** 40, hard: 2 ** 41 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 1 },
      { type: 'RLIMIT_CPU', soft: 100, hard: 200 },
      { type: 'RLIMIT_DATA', soft: 2 ** 39, hard: 2 ** 40 },
      { type: 'RLIMIT_FSIZE', soft: 12_345, hard: 23_456 },
      { type: 'RLIMIT_LOCKS', soft: 7, hard: 8 },
      { type: 'RLIMIT_MEMLOCK', soft: 4096, hard: 8192 },
      { type: 'RLIMIT_MSGQUEUE', soft: 1000, hard: 2000 },
      { type: 'RLIMIT_NICE', soft: 0, hard: 0 },
      { type: 'RLIMIT_NOFILE', soft: 33, hard: 44 },
      { type: 'RLIMIT_NPROC', soft: 1000, hard: 1001 },
      { type: 'RLIMIT_RSS', soft: 5, hard: 6 },
      { type: 'RLIMIT_RTPRIO', soft: 0, hard: 0 },
      { type: 'RLIMIT_RTTIME', soft: 10_000_000, hard: 20_000_000 },
      { type: 'RLIMIT_SIGPENDING', soft: 10, hard: 20 },
      { type: 'RLIMIT_STACK', soft: 1_048_576, hard: 2_097_152 },
    ];
  });
  t.same(parseLimits(limits), {
    'Max address space': '1099511627776 2199023255552',
    'Max core file size': '0 1',
    'Max cpu time': '100 200',
    'Max data size': '549755813888 1099511627776',
    'Max file size': '12345 23456',
    'Max file locks': '7 8',
    'Max locked memory': '4096 8192',
    'Max msgqueue size': '1000 2000',
    'Max nice priority': '0 0',
    'Max open files': '33 44',
    'Max processes': '1000 1001',
    'Max resident set': '5 6',
    'Max realtime priority': '0 0',
    'Max realtime timeout': '10000000 20000000',
    'Max pending signals': '10 20',
    'Max stack size': '1048576 2097152',
  });
});

t.test('rlimits that a double cannot hold keep every digit', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.args = ['/bin/cat', '/proc/self/limits'];
    spec.process.rlimits = [{ type: 'RLIMIT_AS', soft: 111, hard: 222 }];
  });
  const text = JSON.stringify(bundle.spec);
  bundle.writeRaw(text.replace('111', '9007199254740993').replace('222', '18446744073709551614'));
  const { stdout } = await box.runtimeOk(['run', '--bundle', bundle.directory, box.newId()]);
  t.equal(parseLimits(stdout)['Max address space'], '9007199254740993 18446744073709551614');
});

t.test('exec keeps every digit, too, of the config and of --process', { skip }, async (t) => {
  const box = sandbox(t);
  const bundle = box.bundle((spec) => {
    spec.process.rlimits = [{ type: 'RLIMIT_AS', soft: 111, hard: 222 }];
  });
  const exact = (text: string) => text.replace('111', '9007199254740993').replace('222', '18446744073709551614');
  bundle.writeRaw(exact(JSON.stringify(bundle.spec)));
  const id = await box.create(bundle);
  const limits = '9007199254740993 18446744073709551614';
  const own = await box.runtimeOk(['exec', id, '/bin/cat', '/proc/self/limits']);
  t.equal(parseLimits(own.stdout)['Max address space'], limits);
  const file = join(box.directory, 'process.json');
  writeFileSync(file, exact(JSON.stringify({ ...bundle.spec.process, args: ['/bin/cat', '/proc/self/limits'] })));
  const given = await box.runtimeOk(['exec', '--process', file, id]);
  t.equal(parseLimits(given.stdout)['Max address space'], limits);
});

/** A map from each name to `soft hard`. */
function parseLimits(text: string): Record<string, string> {
  const rows = text.split('\n').slice(1).filter(Boolean);
  return Object.fromEntries(
    rows.map((row) => {
      const [soft, hard] = row.slice(26).trim().split(/\s+/);
      return [row.slice(0, 26).trim(), `${soft} ${hard}`];
    }),
  );
}

t.test(
  'a hard limit above what the runtime may give is refused',
  {
    skip: onlyHere || mayRaise,
  },
  async (t) => {
    const said = await refusal(sandbox(t), (spec) => {
      spec.process.rlimits = [{ type: 'RLIMIT_MSGQUEUE', soft: 10, hard: 2_000_000_000 }];
    });
    t.match(said, '/process/rlimits/0: set-rlimit: EPERM');
    t.match(said, 'CAP_SYS_RESOURCE');
  },
);

t.test('with CAP_SYS_RESOURCE a hard limit may be above the caller’s', { skip: mayRaiseOnly }, async (t) => {
  const stdout = await sandbox(t).outputOf('ulimit -H -n; ulimit -S -n', (spec) => {
    spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 600_000, hard: 700_000 }];
  });
  t.equal(stdout, '700000\n600000\n');
});

/** The caller's nice value, which the container has if its config says nothing. */
const ownNice = readFileSync('/proc/self/stat', 'latin1')
  .replace(/^.*\) /s, '')
  .split(' ')[16];

/** Prints policy, nice value and real-time priority of process 1 (proc_pid_stat(5), fields 41, 19 and 40). */
const schedulingOfInit = "cut -d' ' -f41,19,40 /proc/1/stat";

t.test('scheduler: every policy Linux has', { skip: onlyHere }, async (t) => {
  const box = sandbox(t);
  const policies: [Spec['process']['scheduler'], string][] = [
    [{ policy: 'SCHED_OTHER', nice: -7 }, '-7 0 0\n'],
    [{ policy: 'SCHED_BATCH', nice: 5 }, '5 0 3\n'],
    [{ policy: 'SCHED_IDLE' }, `${ownNice} 0 5\n`],
    [{ policy: 'SCHED_FIFO', priority: 9 }, `${ownNice} 9 1\n`],
    [{ policy: 'SCHED_RR', priority: 99 }, `${ownNice} 99 2\n`],
  ];
  for (const [scheduler, expected] of policies) {
    const seen = await box.outputOf(schedulingOfInit, (spec) => {
      spec.process.scheduler = scheduler;
    });
    t.equal(seen, expected, JSON.stringify(scheduler));
  }
});

/** The kernel admits a deadline task only if it may run on every CPU (sched(7)). */
function lacksCpus(): string | false {
  const own = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const all = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim();
  return own !== all && `needs all CPUs, ${all}, and has ${own}`;
}

t.test(
  'scheduler: SCHED_DEADLINE with its times',
  { skip: onlyHere || requires({ files: ['/proc/self/sched'] }) || lacksCpus() },
  async (t) => {
    const seen = await sandbox(t).outputOf('cat /proc/1/sched', (spec) => {
      // Without the flag a deadline task may not fork, and the shell could not start cat.
      spec.process.scheduler = {
        policy: 'SCHED_DEADLINE',
        runtime: 10_000_000,
        deadline: 20_000_000,
        period: 30_000_000,
        flags: ['SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_RECLAIM'],
      };
    });
    t.match(seen, /^policy +: +6$/m);
    t.match(seen, /^dl\.deadline +: +\d+$/m);
  },
);

t.test('scheduler: SCHED_FLAG_RESET_ON_FORK spares the children', { skip: onlyHere }, async (t) => {
  // The `true` keeps the shell from executing its last command in its place.
  const seen = await sandbox(t).outputOf(`${schedulingOfInit}; cut -d' ' -f41 /proc/self/stat; true`, (spec) => {
    spec.process.scheduler = { policy: 'SCHED_FIFO', priority: 3, flags: ['SCHED_FLAG_RESET_ON_FORK'] };
  });
  t.equal(seen, `${ownNice} 3 1\n0\n`);
});

t.test('scheduler: impossible values are refused by name', { skip: onlyHere }, async (t) => {
  const box = sandbox(t);
  const cases: [NonNullable<Spec['process']['scheduler']>, string][] = [
    [{ policy: 'SCHED_ISO' }, '/process/scheduler/policy: no Linux kernel has SCHED_ISO'],
    [{ policy: 'SCHED_OTHER', nice: 20 }, '/process/scheduler/nice'],
    [{ policy: 'SCHED_FIFO', priority: 100 }, '/process/scheduler/priority'],
    [{ policy: 'SCHED_DEADLINE', runtime: 3, deadline: 2, period: 1 }, '/process/scheduler'],
    // The kernel's own minimum is 1024 ns.
    [{ policy: 'SCHED_DEADLINE', runtime: 1, deadline: 2, period: 3 }, '/process/scheduler: set-scheduler: EINVAL'],
  ];
  for (const [scheduler, expected] of cases) {
    const said = await refusal(box, (spec) => {
      spec.process.scheduler = scheduler;
    });
    t.match(said, expected);
  }
});

t.test('ioPriority: every class', { skip: onlyHere }, async (t) => {
  const box = sandbox(t);
  const classes: [Spec['process']['ioPriority'], string][] = [
    [{ class: 'IOPRIO_CLASS_RT', priority: 1 }, 'realtime: prio 1\n'],
    [{ class: 'IOPRIO_CLASS_BE', priority: 7 }, 'best-effort: prio 7\n'],
    [{ class: 'IOPRIO_CLASS_IDLE' }, 'idle\n'],
  ];
  for (const [ioPriority, expected] of classes) {
    const seen = await box.outputOf(['/bin/ionice', '-p', '1'], (spec) => {
      spec.process.ioPriority = ioPriority;
    });
    t.equal(seen, expected);
  }
  const said = await refusal(box, (spec) => {
    spec.process.ioPriority = { class: 'IOPRIO_CLASS_BE', priority: 8 };
  });
  t.match(said, '/process/ioPriority/priority');
});

t.test(
  'memoryPolicy: the kernel has the mode and nodes',
  { skip: onlyHere || requires({ files: ['/proc/self/numa_maps'] }) },
  async (t) => {
    const box = sandbox(t);
    const policies: [NonNullable<Spec['linux']['memoryPolicy']>, RegExp][] = [
      [{ mode: 'MPOL_BIND', nodes: '0' }, /^\S+ bind:0 /m],
      [{ mode: 'MPOL_INTERLEAVE', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] }, /^\S+ interleave=static:0 /m],
      [{ mode: 'MPOL_PREFERRED', nodes: '0' }, /^\S+ prefer:0 /m],
      [{ mode: 'MPOL_LOCAL' }, /^\S+ local /m],
      [{ mode: 'MPOL_DEFAULT' }, /^\S+ default /m],
    ];
    for (const [memoryPolicy, expected] of policies) {
      const seen = await box.outputOf(['/bin/cat', '/proc/self/numa_maps'], (spec) => {
        spec.linux.memoryPolicy = memoryPolicy;
      });
      t.match(seen, expected, JSON.stringify(memoryPolicy));
    }
  },
);

t.test(
  'memoryPolicy: impossible values are refused by name',
  { skip: onlyHere || requires({ files: ['/proc/self/numa_maps'] }) },
  async (t) => {
    const box = sandbox(t);
    const cases: [NonNullable<Spec['linux']['memoryPolicy']>, string][] = [
      [{ mode: 'MPOL_BIND', nodes: '1000' }, '/linux/memoryPolicy: set-memory-policy: EINVAL'],
      [{ mode: 'MPOL_BIND', nodes: '5000' }, '/linux/memoryPolicy/nodes: 5000 is too large'],
      [{ mode: 'MPOL_BIND' }, '/linux/memoryPolicy'],
      [{ mode: 'MPOL_LOCAL', nodes: '0' }, '/linux/memoryPolicy/nodes'],
    ];
    for (const [memoryPolicy, expected] of cases) {
      const said = await refusal(box, (spec) => {
        spec.linux.memoryPolicy = memoryPolicy;
      });
      t.match(said, expected);
    }
  },
);

t.test(
  'personality: LINUX32 shows a 32-bit machine, LINUX the real one',
  { skip: onlyHere || process.arch !== 'x64' },
  async (t) => {
    const box = sandbox(t);
    const machine = (domain: 'LINUX' | 'LINUX32') =>
      box.outputOf(['/bin/uname', '-m'], (spec) => {
        spec.linux.personality = { domain };
      });
    t.equal(await machine('LINUX32'), 'i686\n');
    t.equal(await machine('LINUX'), 'x86_64\n');
    const said = await refusal(box, (spec) => {
      spec.linux.personality = { domain: 'LINUX', flags: ['ADDR_NO_RANDOMIZE'] };
    });
    t.match(said, '/linux/personality/flags/0');
  },
);

t.test('oomScoreAdj is set, and left alone when unset', { skip }, async (t) => {
  const box = sandbox(t);
  const inside = (oomScoreAdj?: number) =>
    box.outputOf(['/bin/cat', '/proc/self/oom_score_adj'], (spec) => {
      if (oomScoreAdj === undefined) delete spec.process.oomScoreAdj;
      else spec.process.oomScoreAdj = oomScoreAdj;
    });
  t.equal(await inside(500), '500\n');
  t.equal(await inside(1000), '1000\n');
  t.equal(await inside(), readFileSync('/proc/self/oom_score_adj', 'utf8'));
});

t.test(
  'oomScoreAdj below the caller’s needs a capability',
  {
    skip: onlyHere || mayRaise,
  },
  async (t) => {
    const said = await refusal(sandbox(t), (spec) => {
      spec.process.oomScoreAdj = -1000;
    });
    t.match(said, /\/process\/oomScoreAdj: set-oom-score-adj .*EACCES.*CAP_SYS_RESOURCE/);
  },
);

t.test('with CAP_SYS_RESOURCE oomScoreAdj may be below the caller’s', { skip: mayRaiseOnly }, async (t) => {
  const stdout = await sandbox(t).outputOf(['/bin/cat', '/proc/self/oom_score_adj'], (spec) => {
    spec.process.oomScoreAdj = -998;
  });
  t.equal(stdout, '-998\n');
});

t.test(
  'labels of a security module that is off are refused',
  {
    skip: onlyHere || lsmIsOn,
  },
  async (t) => {
    const box = sandbox(t);
    const said = await Promise.all([
      refusal(box, (spec) => {
        spec.process.apparmorProfile = 'docker-default';
      }),
      refusal(box, (spec) => {
        spec.process.selinuxLabel = 'system_u:system_r:container_t:s0';
      }),
      refusal(box, (spec) => {
        spec.linux.mountLabel = 'system_u:object_r:container_file_t:s0';
      }),
    ]);
    t.match(said[0], '/process/apparmorProfile: AppArmor is not enabled on this host');
    t.match(said[1], '/process/selinuxLabel: SELinux is not enabled on this host');
    t.match(said[2], '/linux/mountLabel: SELinux is not enabled on this host');
  },
);

t.test(
  'intelRdt needs a mounted resctrl',
  { skip: onlyHere || (existsSync('/sys/fs/resctrl/info') && 'it is mounted') },
  async (t) => {
    const said = await refusal(sandbox(t), (spec) => {
      spec.linux.intelRdt = { closID: 'gold', memBwSchema: 'MB:0=50' };
    });
    t.match(said, '/linux/intelRdt: the resctrl filesystem is not mounted');
  },
);

t.test(
  'in a user namespace the runtime’s privileges still count',
  { skip: skip || requires({ userns: true, runtime: 'tsrun' }) },
  async (t) => {
    const box = sandbox(t);
    const seen = await box.outputOf(`${schedulingOfInit}; ionice -p 1; grep CapBnd /proc/self/status`, (spec) => {
      inUserNamespace(spec);
      spec.process.scheduler = { policy: 'SCHED_RR', priority: 2 };
      spec.process.ioPriority = { class: 'IOPRIO_CLASS_RT', priority: 1 };
      spec.process.oomScoreAdj = 300;
      // The runtime itself may lack CAP_SYS_RESOURCE.
      spec.process.capabilities = { bounding: ['CAP_SYS_RESOURCE'] };
    });
    t.equal(seen, `${ownNice} 2 2\nrealtime: prio 1\nCapBnd:\t0000000001000000\n`);
  },
);
