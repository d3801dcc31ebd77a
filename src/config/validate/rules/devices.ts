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
    check: (spec) =>
      deviceProblems(
        spec,
        ({ path }) => !path.startsWith('/'),
        ({ path }, at) => mustBeAbsolute(path, `${at}/path`),
      ),
  },
  {
    name: 'device-path-file',
    reads: ['/linux/devices'],
    check: (spec) => {
      return deviceProblems(
        spec,
        ({ path }) => path.endsWith('/') && /^\/+$/.test(path),
        ({ path }, at) => problem(`${at}/path`, `must be the path of a file, found ${show(path)}`),
      );
    },
  },
  {
    name: 'device-owner',
    reads: ['/linux/devices'],
    check: (spec) => {
      return deviceProblems(spec, hasOwner, ({ uid = 0, gid = 0 }, at) => {
        return [...idProblems(uid, `${at}/uid`), ...idProblems(gid, `${at}/gid`)];
      });
    },
  },
  {
    name: 'device-numbers',
    reads: ['/linux/devices'],
    check: (spec) => {
      return deviceProblems(spec, hasWrongNumber, (device, at) =>
        (['major', 'minor'] as const).flatMap((name) => numberProblems(device, name, at)),
      );
    },
  },
  {
    name: 'device-path-duplicate',
    reads: ['/linux/devices'],
    check: (spec) => {
      const first = new Map<string, LinuxDevice>();
      const isAnother = (device: LinuxDevice) => {
        const before = first.get(device.path);
        if (before === undefined) first.set(device.path, device);
        return before !== undefined && describe(before) !== describe(device);
      };
      return deviceProblems(spec, isAnother, (device, at) => {
        const before = describe(first.get(device.path) ?? device);
        return problem(at, `${show(device.path)} was given before, as ${before}; found ${describe(device)}`);
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
      const isKnown = (device: LinuxDevice) => {
        if (device.type === 'p') return false;
        const found = describe(device);
        if (first.has(found)) return true;
        first.set(found, device.path);
        return false;
      };
      return deviceProblems(spec, isKnown, (device, at) => {
        const found = describe(device);
        return problem(at, `the same device as ${first.get(found)}, ${found}`);
      });
    },
  },
];

/** Checks only the devices that `isAsked` selects: making a pointer for each would take longer than selecting. */
function deviceProblems(
  { linux }: Spec,
  isAsked: (device: LinuxDevice) => boolean,
  check: (device: LinuxDevice, pointer: string) => Problem[],
): Problem[] {
  const devices = linux?.devices ?? [];
  const problems: Problem[] = [];
  for (let index = 0; index < devices.length; index++) {
    const device = devices[index] as LinuxDevice;
    if (isAsked(device)) problems.push(...check(device, `/linux/devices/${index}`));
  }
  return problems;
}

function problem(pointer: string, message: string): Problem[] {
  return [{ pointer, message }];
}

const hasOwner = ({ uid = 0, gid = 0 }: LinuxDevice) => uid > 0 || gid > 0;

/** mknod(2) uses the numbers only for devices. */
function hasWrongNumber({ type, major, minor }: LinuxDevice): boolean {
  if (type === 'p') return false;
  if (major === undefined || minor === undefined) return true;
  return major < 0 || major > limits.major || minor < 0 || minor > limits.minor;
}

function numberProblems(device: LinuxDevice, name: 'major' | 'minor', at: string): Problem[] {
  const number = device[name];
  if (number === undefined) return when(true, at, `a device of type ${device.type} needs a ${name} number`);
  const message = () => `must be from 0 to ${limits[name]}, found ${number}`;
  return when(number < 0 || number > limits[name], `${at}/${name}`, message);
}

function describe({ type, major, minor }: LinuxDevice): string {
  // u is another word for c (mknod(1)).
  if (type === 'p') return 'p';
  return `${type === 'u' ? 'c' : type} ${major}:${minor}`;
}
