/** The plans of configs with a seccomp profile. */
import t from 'tap';
import { golden, planOf } from './golden.ts';

/** Only the lines about the filter, without their numbers: the rest has goldens of its own. */
function seccompLines(plan: string): string {
  const names = [
    'compile-seccomp',
    'set-capabilities',
    'no-new-privileges',
    'wait-start',
    'prepare-exec',
    'load-seccomp',
    'exec',
  ];
  return plan
    .split('\n')
    .filter((line) => names.some((name) => line.includes(` ${name} `)) || line.startsWith('warning'))
    .map((line) => `${line.replace(/^ *\d+ /, '')}\n`)
    .join('');
}

t.test('a profile with arguments, architectures and flags', async (t) => {
  const plan = planOf((spec) => {
    spec.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
      flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'],
      syscalls: [
        { names: ['read', 'write', 'execve'], action: 'SCMP_ACT_ALLOW' },
        {
          names: ['personality'],
          action: 'SCMP_ACT_TRACE',
          errnoRet: 7,
          args: [{ index: 0, value: 8, op: 'SCMP_CMP_EQ' }],
        },
      ],
    };
  });
  golden(t, 'seccomp', seccompLines(plan));
});

t.test('a listener, without no_new_privs', async (t) => {
  const plan = planOf((spec) => {
    spec.process.noNewPrivileges = false;
    spec.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      listenerPath: '/run/agent.sock',
      syscalls: [{ names: ['mount'], action: 'SCMP_ACT_NOTIFY' }],
    };
  });
  golden(t, 'seccomp-notify', seccompLines(plan));
});
