/** Mounts (config.md, Mounts; config-linux.md for the mappings). */
import type { Mount, Spec } from '../../../generated/spec.ts';
import { type Problem, show } from '../finding.ts';
import { mappingCountProblems, mappingProblems } from './namespaces.ts';
import { namespace, type Rule, when } from './rule.ts';

export const mountErrors: Rule[] = [
  {
    name: 'mount-destination-empty',
    reads: ['/mounts'],
    check: (spec) =>
      mountProblems(
        spec,
        ({ destination }) => destination === '',
        (_, at) => [{ pointer: `${at}/destination`, message: 'must not be empty' }],
      ),
  },
  {
    name: 'mount-bind-source',
    reads: ['/mounts'],
    check: (spec) => {
      return mountProblems(spec, lacksSource, ({ options = [] }, at) => {
        const bind = options.find((option) => option === 'bind' || option === 'rbind');
        const isNew = !options.includes('remount');
        return when(bind !== undefined && isNew, at, `the option ${bind} needs a source`);
      });
    },
  },
  {
    name: 'mount-mappings-pair',
    reads: ['/mounts'],
    check: (spec) => {
      return mountProblems(spec, hasMappings, ({ uidMappings = [], gidMappings = [] }, at) => {
        const [given, lacking] =
          uidMappings.length > 0 ? ['uidMappings', 'gidMappings'] : ['gidMappings', 'uidMappings'];
        const isHalf = uidMappings.length > 0 !== gidMappings.length > 0;
        return when(isHalf, `${at}/${given}`, `needs ${lacking} too`);
      });
    },
  },
  {
    name: 'mount-mapping-ranges',
    reads: ['/mounts'],
    check: (spec) => {
      return mountProblems(spec, hasMappings, ({ uidMappings = [], gidMappings = [] }, at) => [
        ...mappingProblems(uidMappings, `${at}/uidMappings`),
        ...mappingProblems(gidMappings, `${at}/gidMappings`),
      ]);
    },
  },
  {
    name: 'mount-mapping-count',
    reads: ['/mounts'],
    check: (spec) => {
      return mountProblems(spec, hasMappings, ({ uidMappings = [], gidMappings = [] }, at) => [
        ...mappingCountProblems(uidMappings, `${at}/uidMappings`),
        ...mappingCountProblems(gidMappings, `${at}/gidMappings`),
      ]);
    },
  },
  {
    // An ID-mapped mount without its own mappings takes those of the container's user namespace.
    name: 'mount-idmap-without-mappings',
    reads: ['/mounts', '/linux/namespaces'],
    check: (spec) => {
      if (namespace(spec, 'user') !== undefined) return [];
      return mountProblems(spec, isIdMapped, ({ options = [], uidMappings = [], gidMappings = [] }, at) => {
        const index = options.findIndex((option) => option === 'idmap' || option === 'ridmap');
        const isUnmapped = uidMappings.length + gidMappings.length === 0;
        const message = () =>
          `${options[index]} needs uidMappings and gidMappings, or a user namespace to take them from`;
        return when(isUnmapped, `${at}/options/${index}`, message);
      });
    },
  },
];

export const mountWarnings: Rule[] = [
  {
    name: 'mount-destination-relative',
    reads: ['/mounts'],
    check: (spec) =>
      mountProblems(
        spec,
        ({ destination }) => destination[0] !== '/',
        ({ destination }, at) => {
          const message = `relative destinations are deprecated; ${show(destination)} is taken as ${show(`/${destination}`)}`;
          return [{ pointer: `${at}/destination`, message }];
        },
      ),
  },
];

const lacksSource = ({ source }: Mount) => source === undefined || source === '';
const hasMappings = ({ uidMappings, gidMappings }: Mount) => uidMappings !== undefined || gidMappings !== undefined;
const isIdMapped = ({ options }: Mount) =>
  options !== undefined && (options.includes('idmap') || options.includes('ridmap'));

/**
 * Checks only the few mounts that `isAsked` selects: making a pointer for every mount would take longer than selecting.
 */
function mountProblems(
  { mounts = [] }: Spec,
  isAsked: (mount: Mount) => boolean,
  check: (mount: Mount, pointer: string) => Problem[],
): Problem[] {
  const problems: Problem[] = [];
  for (let index = 0; index < mounts.length; index++) {
    const mount = mounts[index] as Mount;
    if (isAsked(mount)) problems.push(...check(mount, `/mounts/${index}`));
  }
  return problems;
}
