/** The rest of the Linux section: paths, personality, memory policy, resctrl (config-linux.md). */
import type { LinuxMemoryPolicy, Spec } from '../../../generated/spec.ts';
import { type Problem, show } from '../finding.ts';
import { isNumberList, mustBeAbsolute, type Rule, when } from './rule.ts';

export const linuxErrors: Rule[] = [
  {
    name: 'masked-path-absolute',
    reads: ['/linux/maskedPaths'],
    check: (spec) => absolutePaths(spec, 'maskedPaths'),
  },
  {
    name: 'readonly-path-absolute',
    reads: ['/linux/readonlyPaths'],
    check: (spec) => absolutePaths(spec, 'readonlyPaths'),
  },
  {
    // Also for slice:prefix:name, whose parts become directories.
    name: 'cgroups-path',
    reads: ['/linux/cgroupsPath'],
    check: ({ linux: { cgroupsPath = '' } = {} }) => {
      const parts = cgroupsPath.split(/[/:]/);
      const isRoot = !cgroupsPath.includes(':') && isRootDirectory(cgroupsPath);
      const at = '/linux/cgroupsPath';
      return [
        ...when(parts.includes('..'), at, () => `must not contain "..", found ${show(cgroupsPath)}`),
        ...when(
          isRoot && !parts.includes('..'),
          at,
          () => `must name a cgroup of the container's own, found ${show(cgroupsPath)}`,
        ),
      ];
    },
  },
  {
    name: 'personality-flags',
    reads: ['/linux/personality'],
    check: ({ linux }) => {
      const flags = linux?.personality?.flags ?? [];
      return flags.map((flag, index) => {
        const message = `unknown flag ${show(flag)}: the specification defines none`;
        return { pointer: `/linux/personality/flags/${index}`, message };
      });
    },
  },
  {
    name: 'memory-policy',
    reads: ['/linux/memoryPolicy'],
    check: ({ linux }) => (linux?.memoryPolicy === undefined ? [] : memoryPolicyProblems(linux.memoryPolicy)),
  },
  {
    // The name becomes a directory of resctrl; as in runc, / means resctrl's root, the default class.
    name: 'intel-rdt-clos-id',
    reads: ['/linux/intelRdt'],
    check: ({ linux: { intelRdt: { closID } = {} } = {} }) => {
      const isName = closID === undefined || closID === '/' || !/^\.{1,2}$|[/\n]/.test(closID);
      return when(!isName, '/linux/intelRdt/closID', () => `must be a name without slashes, found ${show(closID)}`);
    },
  },
];

export const linuxWarnings: Rule[] = [
  {
    name: 'intel-rdt-l3-schema',
    reads: ['/linux/intelRdt'],
    check: ({ linux: { intelRdt: { l3CacheSchema = '' } = {} } = {} }) => {
      const isOdd = l3CacheSchema !== '' && (!l3CacheSchema.startsWith('L3:') || l3CacheSchema.includes('\n'));
      return when(
        isOdd,
        '/linux/intelRdt/l3CacheSchema',
        `should be one line that begins with L3:, found ${show(l3CacheSchema)}`,
      );
    },
  },
];

const none: Problem[] = [];

function isRootDirectory(path: string): boolean {
  // Fast path: nearly every path has a letter early on.
  if (!isDotOrSlash(path[0]) || (path.length > 1 && !isDotOrSlash(path[1]))) return false;
  return path !== '' && path.split('/').every((part) => ['', '.', '..'].includes(part));
}

function isDotOrSlash(character: string | undefined): boolean {
  return character === '/' || character === '.';
}

function absolutePaths({ linux }: Spec, name: 'maskedPaths' | 'readonlyPaths'): Problem[] {
  return (linux?.[name] ?? []).flatMap((path, index) => {
    if (path[0] === '/' && !isRootDirectory(path)) return none;
    const at = `/linux/${name}/${index}`;
    const hint = name === 'readonlyPaths' ? 'use /root/readonly' : undefined;
    // A mount on the root directory would be invisible to processes that already have that root.
    return [...mustBeAbsolute(path, at), ...when(isRootDirectory(path), at, 'has no effect on /', hint)];
  });
}

/** set_mempolicy(2), which answers all of these only with EINVAL. */
function memoryPolicyProblems({ mode, nodes = '', flags = [] }: LinuxMemoryPolicy): Problem[] {
  const at = '/linux/memoryPolicy';
  if (mode === undefined) return when(true, at, 'required property "mode" is missing');
  const isPlaceless = mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL';
  // Without nodes, MPOL_PREFERRED means the node that the process runs on.
  const needsNodes = !isPlaceless && mode !== 'MPOL_PREFERRED';
  const isBoth = flags.includes('MPOL_F_STATIC_NODES') && flags.includes('MPOL_F_RELATIVE_NODES');
  return [
    ...when(isPlaceless && nodes !== '', `${at}/nodes`, `${mode} takes no nodes, found ${show(nodes)}`),
    ...when(needsNodes && nodes === '', at, `${mode} needs nodes`, 'a list such as 0-3,7'),
    ...when(nodes !== '' && !isNumberList(nodes), `${at}/nodes`, `must be a list such as 0-3,7, found ${show(nodes)}`),
    ...when(isBoth, `${at}/flags`, 'MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other'),
  ];
}
