/** Attributes of hooks: startContainer hooks run like the container's process, others like the runtime. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { LinuxSeccomp } from '../../../src/generated/spec.ts';
import { requires, type Sandbox, type Spec, sandbox } from '../../harness/index.ts';

const skip = requires({ root: true });
const tsrunOnly = requires({ root: true, runtime: 'tsrun' });

/** Attributes that a program can print. The last lines of the shell's own limits follow. */
const attributes = [
  'grep -E "^(Seccomp|NoNewPrivs|Uid|Gid|Groups|Cap...|Umask|Cpus_allowed_list|SigIgn|SigBlk)" /proc/self/status',
  'cat /proc/self/limits /proc/self/oom_score_adj /proc/self/personality',
  'cut -d" " -f18,19,40,41 /proc/self/stat',
  'ionice -p $$',
  'cat /proc/self/keys | cut -d" " -f9-',
  'cat /proc/self/attr/current 2>/dev/null',
  'pwd',
  'env | sort',
].join('; ');

/** The sandbox's directory in the container. */
const box = '/box';

function read(sand: Sandbox, name: string): string {
  return readFileSync(join(sand.directory, name), 'utf8');
}

function mountBox(spec: Spec, { directory }: Sandbox): void {
  spec.mounts.push({ destination: box, type: 'bind', source: directory, options: ['bind', 'rw'] });
}

// crun 1.8 gives these hooks its own environment.
t.test('a startContainer hook has every attribute of the process', { skip: tsrunOnly }, async (t) => {
  const sand = sandbox(t);
  const bundle = sand.bundle((spec) => {
    mountBox(spec, sand);
    const { process } = spec;
    process.args = ['/bin/sh', '-c', `{ ${attributes}; } >${box}/program 2>&1`];
    process.cwd = '/tmp';
    process.env = ['PATH=/bin:/usr/bin', 'OF_THE_PROCESS=1'];
    process.user = { ...process.user, uid: 0, gid: 5, additionalGids: [7, 8], umask: 0o027 };
    process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 77, hard: 99 }];
    process.scheduler = { policy: 'SCHED_BATCH', nice: 3 };
    process.ioPriority = { class: 'IOPRIO_CLASS_IDLE' };
    process.oomScoreAdj = 77;
    process.noNewPrivileges = true;
    spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW' };
    const script = (file: string) => ['sh', '-c', `{ ${attributes}; } >${box}/${file} 2>&1`];
    spec.hooks = { startContainer: [{ path: '/bin/sh', args: script('hook') }] };
  });
  await sand.runtimeOk(['run', '--bundle', bundle.directory, sand.newId()]);
  t.match(read(sand, 'hook'), /^Seccomp:\t2$/m);
  t.match(read(sand, 'hook'), /^OF_THE_PROCESS=1$/m);
  t.match(read(sand, 'hook'), /^HOME=/m, 'and what the runtime adds');
  t.equal(read(sand, 'hook'), read(sand, 'program'));
});

/** Forbids mkdir and everything that tsrun-init needs to run a hook, except the start of the program. */
function strict(): LinuxSeccomp {
  const names = ['mkdir', 'mkdirat', 'memfd_create', 'pipe2', 'clone3', 'ppoll', 'waitid', 'sendmsg'];
  return { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names, action: 'SCMP_ACT_ERRNO' }] };
}

t.test('the filter applies to a startContainer hook, but not before its execve', { skip: tsrunOnly }, async (t) => {
  for (const noNewPrivileges of [true, false]) {
    const sand = sandbox(t);
    const bundle = sand.bundle((spec) => {
      mountBox(spec, sand);
      spec.linux.seccomp = strict();
      spec.process.noNewPrivileges = noNewPrivileges;
      spec.process.args = ['/bin/sh', '-c', `mkdir ${box}/p || echo program >>${box}/log`];
      const hook = { path: '/bin/sh', args: ['sh', '-c', `mkdir ${box}/h || echo hook >>${box}/log`] };
      spec.hooks = {
        startContainer: [hook, hook],
        createContainer: [{ path: '/bin/mkdir', args: ['mkdir', join(sand.directory, 'c')] }],
      };
    });
    await sand.runtimeOk(['run', '--bundle', bundle.directory, sand.newId()]);
    t.equal(read(sand, 'log'), 'hook\nhook\nprogram\n');
  }
});

t.test('a hook without env has the runtime’s, that of startContainer the process’s', { skip: tsrunOnly }, async (t) => {
  const sand = sandbox(t);
  const kinds = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
  const bundle = sand.bundle((spec) => {
    mountBox(spec, sand);
    spec.process.args = ['/bin/true'];
    spec.process.env = ['PATH=/bin', 'WHOSE=process', 'HOME=/the/process'];
    const place = (kind: string) => (kind === 'startContainer' ? box : sand.directory);
    spec.hooks = Object.fromEntries(
      kinds.map((kind) => [
        kind,
        [{ path: '/bin/sh', args: ['sh', '-c', `echo $WHOSE $HOME >${place(kind)}/${kind}`] }],
      ]),
    );
  });
  await sand.runtimeOk(['run', '--bundle', bundle.directory, sand.newId()], {
    env: { PATH: process.env.PATH ?? '', WHOSE: 'runtime', HOME: '/the/runtime' },
  });
  for (const kind of kinds) {
    const whose = kind === 'startContainer' ? 'process' : 'runtime';
    t.equal(read(sand, kind), `${whose} /the/${whose}\n`, kind);
  }
});

t.test('hooks look programs up in the runtime’s PATH', { skip }, async (t) => {
  const sand = sandbox(t);
  const bundle = sand.bundle((spec) => {
    spec.process.args = ['/bin/true'];
    spec.hooks = { createRuntime: [{ path: '/usr/bin/env', args: ['env', 'only-here', sand.directory] }] };
  });
  bundle.addFile('../tools/only-here', '#!/bin/sh\necho found >"$1/log"\n', 0o755);
  await sand.runtimeOk(['run', '--bundle', bundle.directory, sand.newId()], {
    env: { PATH: `${process.env.PATH}:${join(bundle.directory, 'tools')}` },
  });
  t.equal(read(sand, 'log'), 'found\n');
});
