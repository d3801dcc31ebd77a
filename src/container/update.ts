import { addon } from '../addon.ts';
import { noCgroupHint, openCgroup } from '../cgroup/cgroupfs.ts';
import { filterDevices } from '../cgroup/devices.ts';
import { changeLimits } from '../cgroup/driver.ts';
import { isIdle, readCurrentLimits } from '../cgroup/limits.ts';
import { isSettingOp } from '../cgroup/settings.ts';
import { closeQuietly } from '../close.ts';
import { findingIn, isSameAt, type PartSource, placeOfProperty, withPlace } from '../config/locate.ts';
import { locate } from '../config/validate/places.ts';
import { resourceProblems } from '../config/validate/resources.ts';
import { unknownProperties } from '../config/validate/validate.ts';
import { TsrunError } from '../errors.ts';
import type { DeviceRule } from '../generated/ops.ts';
import type { LinuxResources, Status } from '../generated/spec.ts';
import { type CgroupFacts, gatherHostFacts } from '../host/facts.ts';
import { isEnding } from '../host/processes.ts';
import type { KeptWeight } from '../linux/cgroup-values.ts';
import { defaultDeviceRules, deviceRulesOf, formatDeviceRule, parseDeviceRule } from '../linux/device-rules.ts';
import { logFinding } from '../log.ts';
import { lowerResources } from '../lower/limits/resources.ts';
import { changeSchemata } from '../resctrl/group.ts';
import { logFindings } from './log-findings.ts';
import type { ContainerRecord } from './record.ts';
import { statusOf } from './state.ts';
import type { ContainerDirectory } from './store.ts';

export interface UpdateRequest {
  /** Has the form of linux.resources, not validated yet. Whatever it lacks stays as it is. */
  readonly resources: unknown;
  /** The file that some of the resources come from, and its contents. */
  readonly file?: (PartSource & { readonly value: unknown }) | undefined;
  /** Added after the rules in force. */
  readonly deviceRules: readonly DeviceRule[];
  /** Lines for the schemata file of the container's resctrl group, L3 before MB. */
  readonly schemata: readonly string[];
}

/**
 * Changes the limits of a running container, with effect at once.
 *
 * @throws TsrunError for bad values before anything is changed, and for the first limit that the kernel refuses
 */
export function updateContainer(directory: ContainerDirectory, request: UpdateRequest): void {
  const resources = validateResources(request);
  const lock = directory.open();
  try {
    addon().lock(lock, true);
    const record = directory.read();
    changeRunning(directory, record, resources, request);
  } catch (error) {
    throw placed(error, request);
  } finally {
    closeQuietly(lock);
  }
}

/** Gives an error about a limit its place in the file. */
function placed(error: unknown, request: UpdateRequest): unknown {
  const pointer = error instanceof TsrunError ? error.pointer : undefined;
  const file = pointer === undefined ? undefined : fileWith(pointer, request);
  return file === undefined ? error : withPlace(error, file);
}

/** The file that has this limit; undefined if an option has set it. */
function fileWith(pointer: string, { file, resources }: UpdateRequest): PartSource | undefined {
  const inConfig = (value: unknown) => ({ linux: { resources: value } });
  return file && isSameAt(pointer, inConfig(resources), inConfig(file.value)) ? file : undefined;
}

/**
 * Checks that the contents of a file are an object that looks like linux.resources. Unknown properties are logged, as
 * runtime-spec says, but a file with no known one, such as a whole config.json, is a mistake.
 *
 * @param name of the file, for messages
 */
export function checkResources(value: unknown, text: string, name: string): object {
  const expected = `${name}: expected an object that looks like /linux/resources`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TsrunError(expected);
  const unknown = unknownProperties({ linux: { resources: value } }, { text, path: name });
  const names = Object.keys(value);
  const strangers = unknown.filter(({ pointer }) => pointer.split('/').length === 4);
  if (names.length > 0 && strangers.length === names.length) {
    const hint = strangers[0]?.hint ?? 'its properties are memory, cpu, pids and the like, at the top level';
    throw new TsrunError(`${expected}, found only ${names.map((found) => JSON.stringify(found)).join(', ')}`, { hint });
  }
  const source = { text, path: name, base: '/linux/resources' };
  for (const { pointer, hint } of unknown) {
    const place = placeOfProperty(pointer, source);
    logFinding('warning', { ...findingIn({ pointer, message: 'unknown property', hint }, source), place });
  }
  return value;
}

function changeRunning(
  directory: ContainerDirectory,
  record: ContainerRecord,
  resources: LinuxResources,
  request: UpdateRequest,
): void {
  const cgroup = demandCgroup(directory, record);
  try {
    const { cgroup: host } = gatherHostFacts();
    const kept = isIdle(cgroup) ? (record.keptWeight ?? configuredWeight(directory, host)) : undefined;
    const lowered = lowerResources(resources, host, readCurrentLimits(cgroup, kept));
    logFindings({ ...lowered, notes: [] }, (pointer) => fileWith(pointer, request));
    const devices = newDeviceRules(record, resources, request.deviceRules);
    const settings = lowered.settings.map(({ op }) => op).filter(isSettingOp);
    const undo = changeLimits({ path: cgroup, unit: record.unit }, settings);
    try {
      changeOthers(record, cgroup, devices, request.schemata);
      remember(directory, record, {
        devices: devices?.map(formatDeviceRule) ?? record.devices,
        keptWeight: lowered.keptWeight,
      });
    } catch (error) {
      undo();
      throw error;
    }
  } catch (error) {
    // When a container ends, systemd removes its cgroup, at any step, and each step would report a different reason.
    throw record.init !== undefined && isEnding(record.init) ? notRunning('stopped') : error;
  }
}

/** Changes what is not a limit: the device filter, and the resctrl group, which takes all of its lines or none. */
function changeOthers(
  record: ContainerRecord,
  cgroup: string,
  devices: readonly DeviceRule[] | undefined,
  schemata: readonly string[],
): void {
  if (devices !== undefined) replaceFilter(cgroup, devices);
  if (schemata.length === 0) return;
  try {
    changeSchemata(record.resctrl ?? [], '--l3-cache-schema or --mem-bw-schema', schemata);
  } catch (error) {
    if (devices !== undefined && record.devices !== undefined)
      replaceFilter(cgroup, record.devices.map(parseDeviceRule));
    throw error;
  }
}

/** The weight that create was given, if it made the cgroup idle. */
function configuredWeight(directory: ContainerDirectory, host: CgroupFacts): KeptWeight | undefined {
  return lowerResources(directory.readConfig().linux?.resources ?? {}, host).keptWeight;
}

function remember(
  directory: ContainerDirectory,
  record: ContainerRecord,
  now: Pick<ContainerRecord, 'devices' | 'keptWeight'>,
): void {
  const isSame = now.devices === record.devices && sameWeight(now.keptWeight, record.keptWeight);
  if (!isSame) directory.write({ ...record, ...now });
}

function sameWeight(a: KeptWeight | undefined, b: KeptWeight | undefined): boolean {
  return a?.file === b?.file && a?.value === b?.value;
}

function validateResources(request: UpdateRequest): LinuxResources {
  const { resources } = request;
  // Only the container's cgroup knows the memory limit that swap is counted from; lowering checks it.
  const problems = resourceProblems(resources).filter(({ rule }) => rule !== 'memory-swap');
  if (problems.length === 0) return resources as LinuxResources;
  const findings = locate(problems, { text: JSON.stringify({ linux: { resources } }), path: 'resources' });
  const errors = findings.map(({ pointer, message, hint }) => new TsrunError(message, { about: pointer, hint }));
  for (const each of errors) placed(each, request);
  throw errors.length === 1 ? errors[0] : new TsrunError(errors.map(({ asLine }) => asLine).join('\n'));
}

function demandCgroup(directory: ContainerDirectory, record: ContainerRecord): string {
  const status = statusOf(directory, record);
  if (status === 'stopped' || status === 'creating') {
    throw notRunning(status);
  }
  if (record.cgroup === null) {
    throw new TsrunError('the container has no cgroup of its own, and so no limits', { hint: noCgroupHint() });
  }
  return record.cgroup;
}

function notRunning(status: Status): TsrunError {
  return new TsrunError('container not running', { code: 'EWRONGSTATE', hint: `it is ${status}` });
}

/**
 * The device rules to put in force; undefined when they do not change. Engines send all of linux.resources with every
 * update: repeating the same rules must not take away what a tool has allowed since.
 */
function newDeviceRules(
  { devices: current = [] }: ContainerRecord,
  resources: LinuxResources,
  added: readonly DeviceRule[],
): readonly DeviceRule[] | undefined {
  const given = resources.devices ?? [];
  const base = given.length === 0 ? current.map(parseDeviceRule) : [...deviceRulesOf(given), ...defaultDeviceRules];
  const rules = [...base, ...added];
  return rules.map(formatDeviceRule).join() === current.join() ? undefined : rules;
}

function replaceFilter(cgroup: string, rules: readonly DeviceRule[]): void {
  const fd = openCgroup(cgroup);
  try {
    filterDevices(fd, rules, true);
  } finally {
    closeQuietly(fd);
  }
}
