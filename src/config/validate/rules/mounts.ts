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
      eachMount(spec, ({ destination }, at) => when(destination === '', `${at}/destination`, 'must not be empty')),
  },
  {
    name: 'mount-bind-source',
    reads: ['/mounts'],
    check: (spec) => {
      return eachMount(spec, ({ source = '', options = [] }, at) => {
        const bind = options.find((option) => option === 'bind' || option === 'rbind');
        const isNew = !options.includes('remount');
        return when(bind !== undefined && isNew && source === '', at, `the option ${bind} needs a source`);
      });
    },
  },
  {
    name: 'mount-mappings-pair',
    reads: ['/mounts'],
    check: (spec) => {
      return eachMount(spec, ({ uidMappings = [], gidMappings = [] }, at) => {
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
      return eachMount(spec, ({ uidMappings = [], gidMappings = [] }, at) => [
        ...mappingProblems(uidMappings, `${at}/uidMappings`),
        ...mappingProblems(gidMappings, `${at}/gidMappings`),
      ]);
    },
  },
  {
    name: 'mount-mapping-count',
    reads: ['/mounts'],
    check: (spec) => {
      return eachMount(spec, ({ uidMappings = [], gidMappings = [] }, at) => [
        ...mappingCountProblems(uidMappings, `${at}/uidMappings`),
        ...mappingCountProblems(gidMappings, `${at}/gidMappings`),
      ]);
    },
  },
  {
    // Without mappings of its own an ID-mapped mount takes those of the container's user namespace.
    name: 'mount-idmap-without-mappings',
    reads: ['/mounts', '/linux/namespaces'],
    check: (spec) => {
      if (namespace(spec, 'user') !== undefined) return [];
      return eachMount(spec, ({ options = [], uidMappings = [], gidMappings = [] }, at) => {
        const index = options.findIndex((option) => option === 'idmap' || option === 'ridmap');
        const isUnmapped = index !== -1 && uidMappings.length + gidMappings.length === 0;
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
    check: (spec) => {
      return eachMount(spec, ({ destination }, at) => {
        const message = () =>
          `relative destinations are deprecated; ${show(destination)} is taken as ${show(`/${destination}`)}`;
        return when(!destination.startsWith('/'), `${at}/destination`, message);
      });
    },
  },
];

function eachMount({ mounts = [] }: Spec, check: (mount: Mount, pointer: string) => Problem[]): Problem[] {
  const problems: Problem[] = [];
  // Most checks find nothing: concatenating nothing seven times costs more than looking.
  for (const [index, mount] of mounts.entries()) {
    const found = check(mount, `/mounts/${index}`);
    if (found.length > 0) problems.push(...found);
  }
  return problems;
}
