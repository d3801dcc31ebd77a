import { TsrunError } from '../errors.ts';
import type { DeviceRule } from '../generated/ops.ts';
import type { LinuxDeviceCgroup } from '../generated/spec.ts';

/**
 * What every container may use, whatever its own rules say (config-linux.md, Default Devices). The list is runc's:
 * making any node, the default devices, terminals, and tun, which VPN programs expect in containers.
 */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: true, type: 'c', major: null, minor: null, access: 'm' },
  { allow: true, type: 'b', major: null, minor: null, access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }, // null
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' }, // random
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' }, // full
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' }, // tty
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' }, // zero
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' }, // urandom
  { allow: true, type: 'c', major: 136, minor: null, access: 'rwm' }, // pts/N
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' }, // ptmx
  { allow: true, type: 'c', major: 10, minor: 200, access: 'rwm' }, // net/tun
];

/**
 * linux.resources.devices in their order (config-linux.md, Device allowed list). A property that a rule leaves out
 * means all values; for a number so does -1, which engines write.
 *
 * @throws TsrunError for any other negative number
 */
export function deviceRulesOf(devices: readonly LinuxDeviceCgroup[]): DeviceRule[] {
  return devices.map(({ allow, type, major, minor, access }, index) => ({
    allow,
    type: type || 'a',
    major: numberOf(major, `/linux/resources/devices/${index}/major`),
    minor: numberOf(minor, `/linux/resources/devices/${index}/minor`),
    access: access || 'rwm',
  }));
}

function numberOf(value: number | undefined, place: string): number | null {
  if (value === undefined || value === -1) return null;
  if (value >= 0 && value <= 0xffff_ffff) return value;
  throw new TsrunError(`${value} is not a device number`, { about: place, hint: 'leave it out, or write -1, for all' });
}

/**
 * For state.json, plans and people: `allow c 1:3 rwm`, `deny a *:* rwm`, which is the notation in cgroup v1's
 * devices.list, after the verdict.
 */
export function formatDeviceRule({ allow, type, major, minor, access }: DeviceRule): string {
  return `${allow ? 'allow' : 'deny'} ${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
}

const ruleSyntax = /^(allow|deny) ([abc]) (\*|\d{1,10}):(\*|\d{1,10}) ([rwm]{1,3})$/;

const defaultsByText = new Map(defaultDeviceRules.map((rule) => [formatDeviceRule(rule), rule]));

/**
 * Parses what formatDeviceRule writes, and what people type.
 *
 * @throws TsrunError for any other text
 */
export function parseDeviceRule(text: string): DeviceRule {
  return defaultsByText.get(text) ?? parse(text);
}

function parse(text: string): DeviceRule {
  const [, verdict, type, major, minor, access] = ruleSyntax.exec(text) ?? [];
  if (major === undefined || minor === undefined || access === undefined) {
    throw new TsrunError(`not a device rule: ${JSON.stringify(text)}`, { hint: 'such as: allow c 1:3 rwm' });
  }
  const number = (digits: string) => (digits === '*' ? null : Number(digits));
  return {
    allow: verdict === 'allow',
    type: type as DeviceRule['type'],
    major: number(major),
    minor: number(minor),
    access,
  };
}
