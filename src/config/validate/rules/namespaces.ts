/** Namespaces, ID mappings and time offsets (config-linux.md; user_namespaces(7), time_namespaces(7)). */

import type { LinuxIDMapping, LinuxTimeOffsets, Spec } from '../../../generated/spec.ts';
import { didYouMean } from '../../../suggest.ts';
import { appendPointer } from '../../read/pointer.ts';
import type { Problem } from '../finding.ts';
import { duplicates, isJoined, mustBeAbsolute, namespace, needsNamespace, type Rule, when } from './rule.ts';

const mappings = ['uidMappings', 'gidMappings'] as const;
const sides = ['containerID', 'hostID'] as const;
/** The most mappings that the kernel takes (user_namespaces(7)). */
const maxMappings = 340;
const clocks: readonly string[] = ['monotonic', 'boottime'];

export const namespaceErrors: Rule[] = [
  {
    name: 'namespace-duplicate',
    reads: ['/linux/namespaces'],
    check: ({ linux }) => duplicates(linux?.namespaces ?? [], '/linux/namespaces', ({ type }) => type),
  },
  {
    name: 'namespace-path-absolute',
    reads: ['/linux/namespaces'],
    check: ({ linux }) => {
      return (linux?.namespaces ?? []).flatMap(({ path = '' }, index) => {
        return path === '' ? [] : mustBeAbsolute(path, `/linux/namespaces/${index}/path`);
      });
    },
  },
  {
    name: 'mappings-without-user-namespace',
    reads: ['/linux'],
    check: (spec) => {
      return mappings.flatMap((name) => {
        return (spec.linux?.[name] ?? []).length === 0 ? [] : needsNamespace(spec, 'user', `/linux/${name}`);
      });
    },
  },
  {
    // In a user namespace without mappings every ID is the overflow ID, and nothing can be set up.
    name: 'user-namespace-without-mappings',
    reads: ['/linux/namespaces', '/linux/uidMappings', '/linux/gidMappings'],
    check: (spec) => {
      const user = namespace(spec, 'user');
      if (user === undefined || isJoined(user)) return [];
      return mappings.flatMap((name) => {
        const isMissing = (spec.linux?.[name] ?? []).length === 0;
        return when(isMissing, '/linux', `a new user namespace needs ${name}`, 'such as 0 to 100000, size 65536');
      });
    },
  },
  {
    name: 'mapping-ranges',
    reads: ['/linux'],
    check: ({ linux }) => mappings.flatMap((name) => mappingProblems(linux?.[name] ?? [], `/linux/${name}`)),
  },
  {
    name: 'mapping-count',
    reads: ['/linux'],
    check: ({ linux }) => {
      return mappings.flatMap((name) => mappingCountProblems(linux?.[name] ?? [], `/linux/${name}`));
    },
  },
  {
    name: 'time-offsets-namespace',
    reads: ['/linux/timeOffsets', '/linux/namespaces'],
    check: (spec) => {
      const pointer = '/linux/timeOffsets';
      if (Object.keys(spec.linux?.timeOffsets ?? {}).length === 0) return [];
      const time = namespace(spec, 'time');
      if (time === undefined) return needsNamespace(spec, 'time', pointer);
      return when(isJoined(time), pointer, 'cannot be set in a time namespace that is joined', 'remove one of the two');
    },
  },
  {
    name: 'time-offsets',
    reads: ['/linux/timeOffsets'],
    check: timeOffsetProblems,
  },
];

export function mappingCountProblems({ length: count }: readonly LinuxIDMapping[], pointer: string): Problem[] {
  const message = () => `must have at most ${maxMappings} ranges, has ${count}`;
  return when(count > maxMappings, pointer, message, 'merge adjacent ranges');
}

/** Ranges that are empty, end beyond the last ID, or overlap. The kernel answers all of these only with EINVAL. */
export function mappingProblems(list: readonly LinuxIDMapping[], pointer: string): Problem[] {
  const problems = list.flatMap((mapping, index) => {
    const at = `${pointer}/${index}`;
    const { size } = mapping;
    return [
      ...when(size === 0, `${at}/size`, 'must not be 0', 'how many IDs the range has: 65536, or 1'),
      ...sides.flatMap((side) =>
        when(mapping[side] + size > 2 ** 32, `${at}/${side}`, `${side} + size must not exceed 4294967296`),
      ),
    ];
  });
  return [...problems, ...sides.flatMap((side) => overlaps(list, side, pointer))];
}

/** Sorts the ranges by first ID, and reports each that begins before an earlier one has ended. */
function overlaps(list: readonly LinuxIDMapping[], side: (typeof sides)[number], pointer: string): Problem[] {
  if (list.length < 2) return [];
  const ranges = list.map(({ [side]: first, size }, index) => ({ first, end: first + size, index }));
  ranges.sort((a, b) => a.first - b.first);
  let last = { first: 0, end: 0, index: -1 };
  return ranges.flatMap((range) => {
    const before = last;
    if (range.end > last.end) last = range;
    if (range.first >= before.end || range.first === range.end) return [];
    const [earlier, later] = before.index < range.index ? [before, range] : [range, before];
    const ids = `${later.first} to ${later.end - 1}`;
    const message = `the ${side} range ${ids} overlaps that of ${pointer}/${earlier.index}`;
    return [{ pointer: `${pointer}/${later.index}`, message }];
  });
}

function timeOffsetProblems({ linux }: Spec): Problem[] {
  const offsets: LinuxTimeOffsets = linux?.timeOffsets ?? {};
  const unknown = Object.keys(offsets).filter((name) => !clocks.includes(name));
  return [
    ...unknown.map((name) => ({
      pointer: appendPointer('/linux/timeOffsets', name),
      message: `must be a clock of a time namespace, ${clocks.join(' or ')}`,
      hint: () => didYouMean(name, clocks),
    })),
    ...(['monotonic', 'boottime'] as const).flatMap((clock) => {
      const nanosecs = offsets[clock]?.nanosecs ?? 0;
      const message = `must be below 1000000000, found ${nanosecs}`;
      return when(nanosecs >= 1e9, `/linux/timeOffsets/${clock}/nanosecs`, message, 'use secs for the rest');
    }),
  ];
}
