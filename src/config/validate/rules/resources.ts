/** Limits of the cgroup (config-linux.md, Control groups; the kernel's cgroup-v2.rst). */

import type { LinuxResources } from '../../../generated/spec.ts';
import { appendPointer } from '../../read/pointer.ts';
import { type Problem, show } from '../finding.ts';
import { duplicates, isNumberList, type Rule, when } from './rule.ts';

const base = '/linux/resources';

export const resourceErrors: Rule[] = [
  resourceRule('memory-values', 'memory', ({ memory = {} }) => {
    const { limit, reservation, swap, kernel, kernelTCP } = memory;
    return Object.entries({ limit, reservation, swap, kernel, kernelTCP }).flatMap(([name, value = 0]) => {
      return when(value < -1, `${base}/memory/${name}`, `must be -1 (unlimited) or a number of bytes, found ${value}`);
    });
  }),
  resourceRule('memory-swap', 'memory', ({ memory: { limit = 0, swap = 0 } = {} }) => {
    const at = `${base}/memory/swap`;
    const hint = 'it is memory and swap together';
    return [
      ...when(swap > 0 && limit === 0, at, 'needs /linux/resources/memory/limit', hint),
      ...when(swap > 0 && swap < limit, at, `must not be below the memory limit ${limit}, found ${swap}`, hint),
    ];
  }),
  resourceRule('cpu-burst', 'cpu', ({ cpu: { quota = 0, burst = 0 } = {} }) => {
    const message = () => `must not be above the quota ${quota}, found ${burst}`;
    return when(quota > 0 && burst > quota, `${base}/cpu/burst`, message);
  }),
  resourceRule('cpu-idle', 'cpu', ({ cpu: { idle = 0 } = {} }) => {
    return when(idle !== 0 && idle !== 1, `${base}/cpu/idle`, `must be 0 or 1, found ${idle}`);
  }),
  resourceRule('cpuset-list', 'cpu', ({ cpu: { cpus = '', mems = '' } = {} }) => {
    return Object.entries({ cpus, mems }).flatMap(([name, list]) => {
      const message = () => `must be a list such as 0-3,7, found ${show(list)}`;
      return when(list.trim() !== '' && !isNumberList(list), `${base}/cpu/${name}`, message);
    });
  }),
  resourceRule('block-io-weight-device', 'blockIO', ({ blockIO: { weightDevice = [] } = {} }) => {
    return weightDevice.flatMap(({ weight, leafWeight }, index) => {
      const isEmpty = weight === undefined && leafWeight === undefined;
      return when(isEmpty, `${base}/blockIO/weightDevice/${index}`, 'needs weight or leafWeight');
    });
  }),
  resourceRule('block-io-weight', 'blockIO', ({ blockIO: { weight = 0, weightDevice = [] } = {} }) => {
    return [
      ...weightRange(`${base}/blockIO/weight`, weight),
      ...weightDevice.flatMap((entry, i) => weightRange(`${base}/blockIO/weightDevice/${i}/weight`, entry.weight)),
    ];
  }),
  resourceRule('hugepage-duplicate', 'hugepageLimits', ({ hugepageLimits = [] }) => {
    return duplicates(hugepageLimits, `${base}/hugepageLimits`, ({ pageSize }) => pageSize);
  }),
  resourceRule('rdma-empty', 'rdma', ({ rdma = {} }) => {
    return Object.entries(rdma).flatMap(([device, { hcaHandles, hcaObjects }]) => {
      const isEmpty = hcaHandles === undefined && hcaObjects === undefined;
      return when(isEmpty, appendPointer(`${base}/rdma`, device), 'needs hcaHandles or hcaObjects');
    });
  }),
  resourceRule('unified-name', 'unified', ({ unified = {} }) => {
    return Object.keys(unified).flatMap((name) => {
      // The name becomes part of a path: with a slash it could leave the container's cgroup.
      const isBad = name === '' || name === '.' || name === '..' || name.includes('/');
      const message = () => `must be the name of a file in the cgroup, such as memory.high, found ${show(name)}`;
      return when(isBad, appendPointer(`${base}/unified`, name), message);
    });
  }),
];

export const resourceWarnings: Rule[] = [
  resourceRule('memory-swap-unlimited', 'memory', ({ memory: { limit = 0, swap = 0 } = {} }) => {
    return when(
      swap > 0 && limit < 0,
      `${base}/memory/swap`,
      `limits swap alone, as memory has no limit, found ${swap}`,
    );
  }),
  resourceRule('memory-reservation', 'memory', ({ memory: { limit = 0, reservation = 0 } = {} }) => {
    const message = () => `above the memory limit ${limit} it has no effect, found ${reservation}`;
    return when(limit > 0 && reservation > limit, `${base}/memory/reservation`, message);
  }),
];

/** A weight of 0 is how engines write that there is none. */
function weightRange(at: string, weight = 0): Problem[] {
  return when(weight !== 0 && (weight < 10 || weight > 1000), at, `must be between 10 and 1000, found ${weight}`);
}

function resourceRule(
  name: string,
  section: keyof LinuxResources,
  check: (resources: LinuxResources) => Problem[],
): Rule {
  return {
    name,
    reads: [`${base}/${section}`],
    check: ({ linux }) => (linux?.resources === undefined ? [] : check(linux.resources)),
  };
}
