/** Device nodes (config-linux.md, Devices; mknod(2)). */
import type { LinuxDevice, Spec } from '../../../generated/spec.ts';
import { type Problem, show } from '../finding.ts';
import { idProblems, mustBeAbsolute, type Rule, when } from './rule.ts';

/** The kernel's dev_t has 12 bits for the major and 20 for the minor number, and cuts off the rest. */
const limits = { major: 2 ** 12 - 1, minor: 2 ** 20 - 1 } as const;

export const deviceErrors: Rule[] = [
  {
    name: 'device-path-absolute',
    reads: ['/linux/devices'],
    check: (spec) => eachDevice(spec, ({ path }, at) => mustBeAbsolute(path, `${at}/path`)),
  },
  {
    name: 'device-path-file',
    reads: ['/linux/devices'],
    check: (spec) => {
      return eachDevice(spec, ({ path }, at) => {
        return when(/^\/+$/.test(path), `${at}/path`, () => `must be the path of a file, found ${show(path)}`);
      });
    },
  },
  {
    name: 'device-owner',
    reads: ['/linux/devices'],
    check: (spec) => {
      return eachDevice(spec, ({ uid = 0, gid = 0 }, at) => {
        return [...idProblems(uid, `${at}/uid`), ...idProblems(gid, `${at}/gid`)];
      });
    },
  },
  {
    name: 'device-numbers',
    reads: ['/linux/devices'],
    check: (spec) => {
      return eachDevice(spec, (device, at) =>
        (['major', 'minor'] as const).flatMap((name) => numberProblems(device, name, at)),
      );
    },
  },
  {
    name: 'device-path-duplicate',
    reads: ['/linux/devices'],
    check: (spec) => {
      const first = new Map<string, string>();
      return eachDevice(spec, (device, at) => {
        const before = first.get(device.path);
        const found = describe(device);
        if (before === undefined) first.set(device.path, found);
        const message = () => `${show(device.path)} was given before, as ${before}; found ${found}`;
        return when(before !== undefined && before !== found, at, message);
      });
    },
  },
];

export const deviceWarnings: Rule[] = [
  {
    name: 'device-numbers-duplicate',
    harmless: true,
    reads: ['/linux/devices'],
    check: (spec) => {
      const first = new Map<string, string>();
      return eachDevice(spec, (device, at) => {
        if (device.type === 'p') return [];
        const found = describe(device);
        const path = first.get(found);
        if (path === undefined) first.set(found, device.path);
        return when(path !== undefined, at, () => `the same device as ${path}, ${found}`);
      });
    },
  },
];

function eachDevice({ linux }: Spec, check: (device: LinuxDevice, pointer: string) => Problem[]): Problem[] {
  return (linux?.devices ?? []).flatMap((device, index) => check(device, `/linux/devices/${index}`));
}

function numberProblems(device: LinuxDevice, name: 'major' | 'minor', at: string): Problem[] {
  const number = device[name];
  // mknod(2) uses the numbers only for devices.
  if (device.type === 'p') return [];
  if (number === undefined) return when(true, at, `a device of type ${device.type} needs a ${name} number`);
  const message = () => `must be from 0 to ${limits[name]}, found ${number}`;
  return when(number < 0 || number > limits[name], `${at}/${name}`, message);
}

function describe({ type, major, minor }: LinuxDevice): string {
  // u is another word for c (mknod(1)).
  return type === 'p' ? 'p' : `${type.replace('u', 'c')} ${major}:${minor}`;
}
