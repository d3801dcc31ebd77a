/**
 * crun's annotations (crun(1), Annotations), with which callers ask crun for more than the specification says. tsrun
 * honours run.oci.keep_original_groups and run.oci.mount_context_type, which podman writes, and an empty
 * run.oci.systemd.subgroup, which CRI-O is told to write and which is what tsrun does anyway. It refuses those without
 * which a container would be less safe.
 */
import type { StringMap } from '../../../generated/spec.ts';
import { didYouMean } from '../../../suggest.ts';
import { appendPointer } from '../../read/pointer.ts';
import { type Problem, show } from '../finding.ts';
import type { Rule } from './rule.ts';

const prefix = 'run.oci.';

/** SELinux's mount options (mount(8)). */
const contextTypes = ['context', 'rootcontext', 'fscontext', 'defcontext'];

/**
 * Without these, the container would not be what its author thinks: it would lack the virtual machine, or the filter.
 */
const refused: Readonly<Record<string, string>> = {
  'run.oci.handler': 'tsrun has no handlers: run it with the runtime that the handler is made for, or leave it out',
  'run.oci.seccomp_bpf_data': 'tsrun takes no filter in BPF: write it as /linux/seccomp',
  'run.oci.seccomp_fail_unknown_syscall': 'tsrun check warns of each unknown system call; leave the annotation out',
};

const ignored: Readonly<Record<string, string>> = {
  'run.oci.systemd.subgroup': 'the process is in the scope itself',
  'run.oci.systemd.force_cgroup_v1': 'tsrun has no cgroup v1',
  'run.oci.delegate-cgroup': 'mount a writable cgroup filesystem, and the container’s user owns its cgroup',
  'run.oci.hooks.stdout': 'an error of a hook has the end of its output',
  'run.oci.hooks.stderr': 'an error of a hook has the end of its output',
  'run.oci.pidfd_receiver': 'use --pidfd-socket',
  'run.oci.timens_offset': 'use /linux/timeOffsets',
};

const honoured = ['run.oci.keep_original_groups', 'run.oci.mount_context_type'];

export const annotationErrors: Rule[] = [
  {
    name: 'annotation-refused',
    reads: ['/annotations'],
    check: ({ annotations = {} }) =>
      eachOfCrun(annotations, (name) => {
        const hint = own(refused, name);
        return hint === undefined ? undefined : { message: 'crun’s annotation is not honoured', hint };
      }),
  },
  {
    name: 'annotation-mount-context',
    reads: ['/annotations'],
    check: ({ annotations = {} }) =>
      eachOfCrun(annotations, (name, value) => {
        if (name !== 'run.oci.mount_context_type' || contextTypes.includes(value)) return undefined;
        return { message: `must be one of ${contextTypes.join(', ')}, found ${show(value)}` };
      }),
  },
];

export const annotationWarnings: Rule[] = [
  {
    name: 'annotation-ignored',
    reads: ['/annotations'],
    check: ({ annotations = {} }) =>
      eachOfCrun(annotations, (name, value) => {
        if (honoured.includes(name) || (name === 'run.oci.systemd.subgroup' && value === '')) return undefined;
        const known = [...honoured, ...Object.keys(ignored), ...Object.keys(refused)];
        const hint = own(ignored, name) ?? (() => didYouMean(name, known));
        return { message: 'crun’s annotation has no effect', hint };
      }),
  },
];

function eachOfCrun(
  annotations: StringMap,
  check: (name: string, value: string) => Omit<Problem, 'pointer'> | undefined,
): Problem[] {
  const problems: Problem[] = [];
  // Does not list all of them first: a pod may have hundreds.
  for (const name in annotations) {
    if (!name.startsWith(prefix)) continue;
    const problem = check(name, annotations[name] ?? '');
    if (problem !== undefined) problems.push({ pointer: appendPointer('/annotations', name), ...problem });
  }
  return problems;
}

function own(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
