/** Network devices (config-linux.md, Network Devices). */

import type { LinuxNetDevice, Spec } from '../../../generated/spec.ts';
import { appendPointer } from '../../read/pointer.ts';
import { type Problem, show } from '../finding.ts';
import { needsNamespace, type Rule, when } from './rule.ts';

/** The most bytes of a device name, without its NUL (IFNAMSIZ). */
const maxName = 15;

export const networkErrors: Rule[] = [
  {
    name: 'net-device-namespace',
    reads: ['/linux/netDevices', '/linux/namespaces'],
    check: (spec) => (devices(spec).length === 0 ? [] : needsNamespace(spec, 'network', '/linux/netDevices')),
  },
  {
    name: 'net-device-name',
    reads: ['/linux/netDevices'],
    check: (spec) => {
      return devices(spec).flatMap(([hostName, { name = '' }]) => {
        const at = appendPointer('/linux/netDevices', hostName);
        return [...nameProblems(hostName, at), ...(name === '' ? [] : templateProblems(name, `${at}/name`))];
      });
    },
  },
  {
    name: 'net-device-duplicate',
    reads: ['/linux/netDevices'],
    check: (spec) => {
      const taken = new Map<string, string>();
      return devices(spec).flatMap(([hostName, { name = '' }]) => {
        const at = appendPointer('/linux/netDevices', hostName);
        const inside = name === '' ? hostName : name;
        const before = taken.get(inside);
        taken.set(inside, before ?? at);
        // With a template such as eth%d, each device gets its own number.
        const message = () => `the name ${show(inside)} in the container is taken by ${before}`;
        return when(before !== undefined && !inside.includes('%'), at, message);
      });
    },
  },
];

function devices({ linux }: Spec): [string, LinuxNetDevice][] {
  return Object.entries(linux?.netDevices ?? {});
}

/** Checks a name like the kernel's dev_valid_name(). */
function nameProblems(name: string, pointer: string): Problem[] {
  const isBad =
    name === '' || name === '.' || name === '..' || /[/:\s]/.test(name) || Buffer.byteLength(name) > maxName;
  const message = () =>
    `must be a device name of 1 to ${maxName} bytes without slash, colon or white space, found ${show(name)}`;
  return when(isBad, pointer, message);
}

/** A name may have one %d, which becomes the first free number: the kernel's dev_alloc_name(). */
function templateProblems(name: string, pointer: string): Problem[] {
  const isBad = name.includes('%') && !/^[^%]*%d[^%]*$/.test(name);
  return [
    ...nameProblems(name, pointer),
    ...when(isBad, pointer, () => `may have % only as one %d, found ${show(name)}`),
  ];
}
