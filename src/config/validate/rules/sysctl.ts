/**
 * Kernel parameters (config-linux.md, Sysctl). Only parameters of a namespace that the container does not share with
 * the host may be set, because others would change the host.
 */

import type { Spec } from '../../../generated/spec.ts';
import { sysctlNamespace, sysctlPath } from '../../../linux/sysctl.ts';
import { appendPointer } from '../../read/pointer.ts';
import { type Problem, show } from '../finding.ts';
import { needsNamespace, type Rule, when } from './rule.ts';

export const sysctlErrors: Rule[] = [
  {
    name: 'sysctl',
    reads: ['/linux/sysctl', '/linux/namespaces'],
    check: (spec) => Object.keys(spec.linux?.sysctl ?? {}).flatMap((key) => sysctlProblems(key, spec)),
  },
];

function sysctlProblems(key: string, spec: Spec): Problem[] {
  const pointer = appendPointer('/linux/sysctl', key);
  const path = sysctlPath(key);
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    return when(true, pointer, () => `must be the name of a kernel parameter, found ${show(key)}`);
  }
  if (path === 'kernel/hostname') return when(true, pointer, 'cannot be set here', 'use /hostname');
  const type = sysctlNamespace(key);
  if (type !== undefined) return needsNamespace(spec, type, pointer);
  const onHost = `leave it out; to have it on the host, set it there: sysctl -w ${show(`${key}=…`)}`;
  return when(true, pointer, 'belongs to no namespace, and setting it would change the host', onHost);
}
