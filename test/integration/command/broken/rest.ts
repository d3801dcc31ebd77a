/** Mistakes in hooks, annotations, seccomp and limits. */
import { type Broken, wrong } from './broken.ts';

export const brokenRest: Readonly<Record<string, Broken>> = {
  'a hook that is not there': {
    edit: (spec) => {
      spec.hooks = { createRuntime: [{ path: '/usr/bin/setup-netwrk' }] };
    },
    property: /\/usr\/bin\/setup-netwrk/,
    wayOut: /path is looked up on the host/,
    marked: /./,
  },
  'a hook with a relative path': {
    edit: (spec) => {
      spec.hooks = { prestart: [{ path: 'setup' }] };
    },
    property: /\/hooks\/prestart\/0\/path/,
    wayOut: /begin it with \//,
    marked: /^"setup"$/,
  },
  'an annotation that promises a virtual machine': {
    edit: (spec) => {
      spec.annotations = { 'run.oci.handler': 'krun' };
    },
    property: /\/annotations\/run\.oci\.handler/,
    wayOut: /leave it out/,
    marked: /^"krun"$/,
  },
  'a seccomp action of other programs': wrong(
    '/linux/seccomp',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_DENY' }] },
    /syscalls\/0\/action/,
    /did you mean "SCMP_ACT_ERRNO"/,
    /DENY/,
  ),
  'an architecture of the kernel': wrong(
    '/linux/seccomp',
    { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['x86_64'] },
    /architectures\/0/,
    /did you mean "SCMP_ARCH_X86_64"/,
    /x86_64/,
  ),
  'a profile without its default': wrong(
    '/linux/seccomp',
    { syscalls: [] },
    /required property "defaultAction"/,
    /such as "defaultAction"/,
    /^\{$/,
  ),
  'a system call in the singular': wrong(
    '/linux/seccomp',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ name: 'mkdir', action: 'SCMP_ACT_ERRNO' }] },
    /required property "names"/,
    /is "name" misspelt/,
    /^\{$/,
  ),
  'a comparison that nobody knows': wrong(
    '/linux/seccomp',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['clone'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'EQUALS' }] }],
    },
    /args\/0\/op/,
    /SCMP_CMP_EQ/,
    /EQUALS/,
  ),
  'a seventh argument': wrong(
    '/linux/seccomp',
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['clone'], action: 'SCMP_ACT_ERRNO', args: [{ index: 7, value: 1, op: 'SCMP_CMP_EQ' }] }],
    },
    /args\/0\/index/,
    /from 0 to 5/,
    /^7$/,
  ),
  'a profile that denies all': wrong(
    '/linux/seccomp',
    { defaultAction: 'SCMP_ACT_ERRNO' },
    /killed by signal|exec/,
    /linux.seccomp must allow execve/,
    /^\{$/,
  ),
  'CPUs that are no list': wrong(
    '/linux/resources',
    { cpu: { cpus: '0-' } },
    /\/linux\/resources\/cpu\/cpus/,
    /such as 0-3,7/,
    /^"0-"$/,
  ),
  'real-time bandwidth': wrong(
    '/linux/resources',
    { cpu: { realtimeRuntime: 10 } },
    /realtimeRuntime/,
    /use \/process\/scheduler/,
    /^10$/,
  ),
  'a limit of the kernel’s memory': wrong(
    '/linux/resources',
    { memory: { kernel: 1000 } },
    /memory\/kernel/,
    /counts kernel memory too/,
    /^1000$/,
  ),
  'a size of huge pages in short': wrong(
    '/linux/resources',
    { hugepageLimits: [{ pageSize: '2M', limit: 1 }] },
    /pageSize/,
    /such as 64KB, 2MB/,
    /^"2M"$/,
  ),
  'a number of tasks in quotes': wrong(
    '/linux/resources',
    { pids: { limit: '100' } },
    /pids\/limit/,
    /did you mean the number 100/,
    /^"100"$/,
  ),
  'a file that is not of the cgroup': wrong(
    '/linux/resources',
    { unified: { '../memory.max': '1' } },
    /unified/,
    /such as memory\.high/,
    /^"1"$/,
  ),
  'a weight out of range': wrong(
    '/linux/resources',
    { blockIO: { weight: 5 } },
    /weight/,
    /between 10 and 1000/,
    /^5$/,
  ),
  'a right that devices do not have': wrong(
    '/linux/resources',
    { devices: [{ allow: true, type: 'c', access: 'rwx' }] },
    /access/,
    /m for mknod/,
    /^"rwx"$/,
  ),
  'a hook without time': wrong(
    '/hooks',
    { createRuntime: [{ path: '/usr/bin/true', timeout: 0 }] },
    /timeout/,
    /at least 1/,
    /^0$/,
  ),
  'a hook that is no list': wrong(
    '/hooks',
    { createRuntime: { path: '/usr/bin/true' } },
    /createRuntime/,
    /as a list/,
    /^\{$/,
  ),
  'a hook that fails': wrong(
    '/hooks',
    { createRuntime: [{ path: '/usr/bin/false' }] },
    /createRuntime hook #0/,
    /run it by hand/,
    /^\{$/,
  ),
  'a hook that is misspelt in the image': wrong(
    '/hooks',
    { startContainer: [{ path: '/bin/setpu' }] },
    /startContainer hook #0/,
    /in the root filesystem/,
    /^\{$/,
  ),
  'an annotation that is a number': wrong('/annotations', { a: 1 }, /annotations\/a/, /did you mean "1"/, /^1$/),
};
