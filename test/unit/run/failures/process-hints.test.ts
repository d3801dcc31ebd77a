/** Hints about the process's own attributes, which depend on what was asked for. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import t from 'tap';
import type { Op } from '../../../../src/generated/ops.ts';
import { describeFailure, killedHint } from '../../../../src/run/failures/failure.ts';
import { helperHint } from '../../../../src/run/ops/id-maps.ts';

const { EACCES, EAGAIN, EBUSY, EINVAL, EIO, EOPNOTSUPP, EPERM, EROFS } = constants.errno;

const hint = (op: object, error: number) =>
  describeFailure({ by: 'init', from: '/process', ...op } as Op, { error, value: 0, detail: '' }).hint;

t.test('a limit of open files may be above the system’s', async (t) => {
  const most = Number(readFileSync('/proc/sys/fs/nr_open', 'utf8'));
  for (const op of ['set-rlimit', 'raise-hard-limit']) {
    const files = { op, type: 'RLIMIT_NOFILE', resource: 7, soft: 1 };
    t.match(hint({ ...files, hard: most + 1 }, EPERM), new RegExp(`fs\\.nr_open, which is ${most}`));
    t.match(hint({ ...files, hard: most }, EPERM), /CAP_SYS_RESOURCE/);
    t.match(hint({ ...files, type: 'RLIMIT_CORE', hard: most + 1 }, EPERM), /CAP_SYS_RESOURCE/);
    t.equal(hint({ ...files, hard: most + 1 }, EINVAL), undefined);
  }
});

t.test('it need not be the root filesystem that is read-only', async (t) => {
  const made = { op: 'copy-up', destination: '/a/b', owner: false };
  t.match(hint(made, EROFS), /^the filesystem there is read-only.*source of the mount/);
  t.equal(hint(made, EIO), undefined);
});

t.test('scheduler, priorities and CPUs', async (t) => {
  const scheduler = { op: 'set-scheduler', policy: 'SCHED_FIFO' };
  t.match(hint(scheduler, EPERM), /SCHED_FIFO.*CAP_SYS_NICE/);
  t.match(hint(scheduler, EBUSY), /deadline/);
  t.match(hint(scheduler, EOPNOTSUPP), /utilization clamping/);
  t.equal(hint(scheduler, EIO), undefined);
  t.match(hint({ op: 'set-io-priority', class: 'IOPRIO_CLASS_RT' }, EPERM), /IOPRIO_CLASS_RT needs CAP_SYS_NICE/);
  t.equal(hint({ op: 'set-io-priority', class: 'IOPRIO_CLASS_RT' }, EINVAL), undefined);
  t.match(hint({ op: 'set-cpu-affinity', cpus: '99' }, EINVAL), /CPUs 99/);
  t.equal(hint({ op: 'set-cpu-affinity', cpus: '99' }, EPERM), undefined);
  t.match(hint({ op: 'set-oom-score-adj', value: -5 }, EACCES), /CAP_SYS_RESOURCE/);
  t.equal(hint({ op: 'set-oom-score-adj', value: -5 }, EIO), undefined);
  t.match(hint({ op: 'fork-child' }, EAGAIN), /pids\/limit/);
  t.equal(hint({ op: 'set-umask' }, EAGAIN), undefined);
});

t.test('only SIGKILL is a sign that memory ran out', async (t) => {
  t.match(killedHint(9), /memory limit/);
  t.equal(killedHint(11), undefined);
});

t.test('an unprivileged helper is distinguished from a range of somebody else', async (t) => {
  const range = 'newuidmap: uid range [0-1) -> [5-6) not allowed';
  t.match(helperHint('newuidmap', 'uid', range), /\/etc\/subuid/);
  const refused = 'newgidmap: write to gid_map failed: Operation not permitted';
  t.match(helperHint('newgidmap', 'gid', refused), /^newgidmap has no privilege/);
});
